"""Robot, ground and sensors in one model."""

from mjsdk.scene.alone import robot_alone
from mjsdk.scene.build import Scene, build_scene, compile_robot

__all__ = ["Scene", "build_scene", "compile_robot", "robot_alone"]
