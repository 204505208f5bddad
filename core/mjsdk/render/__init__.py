"""Pictures and videos of a world, with or without a display."""

from mjsdk.render.camera import FollowCamera
from mjsdk.render.gl import has_display
from mjsdk.render.offscreen import Offscreen
from mjsdk.render.video import VideoWriter, check_video_path
from mjsdk.render.world import Recorder, WorldView

__all__ = ["FollowCamera", "Offscreen", "Recorder", "VideoWriter", "WorldView", "check_video_path", "has_display"]
