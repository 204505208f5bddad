"""Robot, ground and sensors in one model."""

from mjsdk.scene.alone import robot_alone
from mjsdk.scene.build import INITIAL, Scene, build_scene, compile_robot, on_ground

__all__ = ["INITIAL", "Scene", "build_scene", "compile_robot", "on_ground", "robot_alone"]
