"""Robot, ground and sensors in one model."""

from mjsdk.scene.build import INITIAL, Scene, build_scene, compile_robot

__all__ = ["INITIAL", "Scene", "build_scene", "compile_robot"]
