"""The ground."""

from __future__ import annotations

import mujoco

from mjsdk.errors import SceneError, listing
from mjsdk.scene.guest import GROUND, neutral

TERRAINS = ("flat",)
_SKY, _CHECKER, _SUN = "mjsdk/sky", "mjsdk/checker", "mjsdk/sun"
"""Names that no robot's model has."""


def add_ground(spec: mujoco.MjSpec, terrain: str, visuals: bool) -> None:
    """Add the ground, the geom `floor`, and with `visuals` a sky, a light and a checkered texture."""
    if terrain not in TERRAINS:
        raise SceneError(f"unknown terrain '{terrain}'. Legal: {listing(TERRAINS)}")
    floor = spec.worldbody.add_geom(
        neutral(),
        name=GROUND,
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[0, 0, 0.05],
        contype=1,
        conaffinity=1,
        friction=[1, 0.005, 0.0001],
    )
    if visuals:
        _decorate(spec, floor)


def _decorate(spec: mujoco.MjSpec, floor: mujoco.MjsGeom) -> None:
    spec.add_texture(
        name=_SKY, type=mujoco.mjtTexture.mjTEXTURE_SKYBOX, builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=[0.62, 0.74, 0.86], rgb2=[0.93, 0.96, 0.98], width=256, height=1536,
    )  # fmt: skip
    spec.add_texture(
        name=_CHECKER, type=mujoco.mjtTexture.mjTEXTURE_2D, builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        mark=mujoco.mjtMark.mjMARK_EDGE, rgb1=[0.40, 0.46, 0.52], rgb2=[0.34, 0.40, 0.46], markrgb=[0.55, 0.6, 0.65],
        width=300, height=300,
    )  # fmt: skip
    material = spec.add_material(neutral(), name=_CHECKER, texrepeat=[1, 1], texuniform=True, reflectance=0.08)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = _CHECKER
    floor.material = _CHECKER
    spec.worldbody.add_light(
        neutral(),
        name=_SUN,
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        pos=[0, 0, 4],
        dir=[-0.4, 0.5, -1.0],
        castshadow=True,
        diffuse=[0.75, 0.75, 0.72],
    )
    spec.visual.headlight.ambient = [0.35, 0.35, 0.37]
    spec.visual.headlight.diffuse = [0.35, 0.35, 0.35]
    spec.visual.map.znear = 0.02
    spec.visual.global_.offwidth, spec.visual.global_.offheight = 1920, 1080
