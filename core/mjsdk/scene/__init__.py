"""Robot, ground and sensors in one model."""

from mjsdk.scene.build import Scene, build_scene, compile_robot

__all__ = ["Scene", "build_scene", "compile_robot"]
