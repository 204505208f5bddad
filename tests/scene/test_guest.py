"""What a robot's model brings along besides the robot."""

from __future__ import annotations

import re
from pathlib import Path

import attrs
import mujoco
import numpy as np
import pytest

from mjsdk.config import EnvConfig, SceneConfig, SensorConfig
from mjsdk.errors import SceneError
from mjsdk.plugins import open_session
from mjsdk.robot import ActuatorGroup, CollisionRule
from mjsdk.scene import build_scene, compile_robot, robot_alone
from mjsdk.scene.guest import RULES
from mjsdk.testing.worlds import TESTBOT

GUIDE = Path(__file__).parents[2] / "docs" / "writing_a_plugin.md"


@pytest.fixture
def session():
    return open_session(TESTBOT)


def plain_text():
    spec = open_session(TESTBOT).load_spec()
    spec.compile()
    return spec.to_xml()


def give(session, head="", world="", trunk="", tail="", edit=lambda spec: None):
    """Let the robot's model have more in it."""
    text = re.sub(r"(<mujoco model=\"testbot\">)", rf"\1{head}", plain_text(), count=1)
    text = text.replace("<worldbody>", f"<worldbody>{world}").replace("</mujoco>", f"{tail}</mujoco>")
    text = text.replace('<site name="imu"', f'{trunk}<site name="imu"')

    def load():
        spec = mujoco.MjSpec.from_string(text)
        edit(spec)
        return spec

    session.load_spec = load
    return session


def change(session, **facts):
    session.__dict__["_robot"] = attrs.evolve(session.robot(), **facts)


def scene(session, **settings):
    return build_scene(session, EnvConfig(scene=SceneConfig(**settings))).model


def found(session):
    return {found.what: (found.fate, found.names) for found in robot_alone(session).found}


def test_motors_sensors_keyframes_and_pairs_of_the_model_go_and_are_reported(session):
    give(
        session,
        tail="""<actuator><motor name="left_hip" joint="left_hip"/>
        <muscle joint="right_hip" lengthrange="0 1"/></actuator>
        <sensor><actuatorfrc name="force" actuator="left_hip"/></sensor>
        <contact><pair geom1="trunk_geom" geom2="left_foot_geom"/><exclude body1="trunk" body2="left_leg"/></contact>
        <keyframe><key name="initial" act="0.5"/></keyframe>""",
    )
    model = scene(session)
    assert [model.actuator(i).name for i in range(model.nu)] == ["left_hip", "right_hip"]
    np.testing.assert_allclose(model.actuator_gainprm[:, 0], 20.0)
    assert (model.na, model.nsensor, model.npair, model.nexclude, model.nkey) == (0, 0, 0, 1, 1)
    np.testing.assert_allclose(model.key("initial").qpos[2], 0.3)
    told = found(session)
    assert told["actuators"] == ("removed", ("left_hip", ""))
    assert told["sensors"] == ("removed", ("force",))
    assert told["keyframes"] == ("removed", ("initial",))
    assert len(told["contact pairs"][1]) == 1


def test_a_robot_that_brings_nothing_else_is_left_alone(session):
    assert found(session) == {}


def test_the_ground_of_the_model_makes_way_for_that_of_the_scene(session):
    give(session, world='<geom name="floor" type="plane" size="1 1 1" friction="3 1 1"/><light pos="0 0 3"/>')
    model = scene(session)
    assert (model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE).sum() == 1
    np.testing.assert_allclose(model.geom("floor").friction, [1, 0.005, 0.0001])
    assert found(session) == {"planes and height fields": ("removed", ("floor",)), "lights": ("removed", ("",))}


def test_another_geom_called_floor_is_renamed(session):
    give(session, trunk='<geom name="floor" size="0.01"/><geom name="robot_floor" size="0.01"/>')
    model = compile_robot(session)
    assert "floor" not in {model.geom(i).name for i in range(model.ngeom)}
    assert found(session)["geom called floor"] == ("renamed", ("robot_floor_",))
    assert scene(session).geom("floor").type == mujoco.mjtGeom.mjGEOM_PLANE


def test_a_tendon_around_a_geom_called_floor_is_refused(session):
    give(
        session,
        trunk='<geom name="floor" size="0.01"/><site name="a" pos="0 0 .1"/><site name="b" pos="0 0 -.1"/>',
        tail='<tendon><spatial><site site="a"/><geom geom="floor"/><site site="b"/></spatial></tendon>',
    )
    with pytest.raises(SceneError, match="tendon of robot 'testbot'.* wraps around the geom 'floor'.*rename"):
        scene(session)


def test_defaults_of_the_model_do_not_shape_what_is_added(session):
    plain = {visuals: build_scene(session, EnvConfig(), visuals=visuals).model for visuals in (False, True)}
    give(
        session,
        head="""<default><motor gear="50" ctrlrange="0 1" ctrllimited="true" group="3"/><material rgba="1 0 0 1"/>
        <geom priority="2" condim="1" margin="0.02" gap="0.01" solref="0.5 1" solimp="0.1 0.2 0.3" group="4"
        rgba="1 0 0 1"/><light castshadow="false" diffuse="1 0 0"/></default>""",
    )
    for visuals, before in plain.items():
        model = build_scene(session, EnvConfig(), visuals=visuals).model
        floor, other = model.geom("floor"), before.geom("floor")
        for field in ("priority", "condim", "margin", "gap", "solref", "solimp", "solmix", "group", "rgba", "friction"):
            np.testing.assert_array_equal(getattr(floor, field), getattr(other, field), field)
        for field in ("gear", "ctrlrange", "ctrllimited", "forcerange", "gainprm", "biasprm", "dyntype", "group"):
            name = f"actuator_{field}"
            np.testing.assert_array_equal(getattr(model, name), getattr(before, name), name)
        np.testing.assert_array_equal(model.light_diffuse, before.light_diffuse)
        np.testing.assert_array_equal(model.light_castshadow, before.light_castshadow)
        np.testing.assert_array_equal(model.mat_rgba[-1:], before.mat_rgba[-1:])


def test_names_of_the_model_may_be_those_of_what_pictures_need(session):
    material = '<texture name="sky" type="skybox" builtin="flat" width="8" height="8"/><material name="checker"/>'
    give(session, head=f"<asset>{material}</asset>", world='<light name="sun"/>')
    model = build_scene(session, EnvConfig(), visuals=True).model
    assert (model.tex_type == mujoco.mjtTexture.mjTEXTURE_SKYBOX).sum() == 1
    assert model.nlight == 1
    assert found(session)["skies"] == ("removed", ("sky",))


def test_options_sizes_and_looks_of_the_model_are_mujocos_defaults_but_for_the_settings(session):
    plain = scene(session)
    give(
        session,
        head="""<option wind="9 0 0" density="1000" viscosity="1" timestep="0.1" gravity="0 0 5" o_margin="0.1">
        <flag contact="disable" actuation="disable" gravity="disable"/></option><size nkey="3" njmax="1"/>
        <visual><headlight ambient="1 0 0"/></visual><statistic meaninertia="99" extent="9"/>""",
    )
    model = scene(session)
    for field in ("wind", "density", "viscosity", "timestep", "gravity", "o_margin", "disableflags"):
        np.testing.assert_array_equal(getattr(model.opt, field), getattr(plain.opt, field), field)
    assert model.stat.meaninertia == plain.stat.meaninertia
    assert (model.nkey, model.njmax) == (1, plain.njmax)
    assert {"wind", "disableflags"} <= set(found(session)["options"][1])


def test_what_nothing_reads_goes(session):
    element = '<tuple name="parts"><element objtype="geom" objname="trunk_paint"/></tuple>'
    give(session, tail=f'<custom><numeric name="n" data="1"/><text name="t" data="x"/>{element}</custom>')
    model = scene(session)
    assert (model.nnumeric, model.ntext, model.ntuple) == (0, 0, 0)


def test_drawings_stay_drawings_for_the_collision_rules_whatever_the_compiler_discards(session):
    give(session, head='<compiler discardvisual="true"/>')
    model = compile_robot(session)
    assert model.geom("trunk_paint").contype == 0
    assert found(session) == {"compiler flag": ("reset", ("discardvisual",))}


def test_losses_of_joints_are_the_models_where_the_facts_are_silent(session):
    def lossy(spec):
        for joint in spec.joints:
            joint.armature, joint.frictionloss = 0.05, 0.3

    give(session, edit=lossy)
    change(session, actuators=(ActuatorGroup(joints=".*", kp=20, kd=1, effort_limit=9),))
    np.testing.assert_allclose(compile_robot(session).dof_armature[6:], 0.05)
    np.testing.assert_allclose(compile_robot(session).dof_frictionloss[6:], 0.3)
    silent = ActuatorGroup(joints=".*", kp=20, kd=1, effort_limit=9, armature=0.0, frictionloss=0.1)
    change(session, actuators=(silent,))
    np.testing.assert_allclose(compile_robot(session).dof_armature[6:], 0.0)
    np.testing.assert_allclose(compile_robot(session).dof_frictionloss[6:], 0.1)


def test_motors_drive_hinges_and_slides_of_the_robot_only(session):
    give(
        session,
        world="""<body name="door" pos="2 0 0"><joint name="door_hip"/><geom size=".1" mass="1"/></body>""",
        trunk="""<body name="tail"><joint name="tail_hip" type="ball"/><geom size=".1" mass=".1"/>
        <body name="rod"><joint name="rod" type="slide"/><geom size=".1" mass=".1"/></body></body>""",
    )
    change(session, actuators=(ActuatorGroup(joints=".*", kp=20, kd=1, effort_limit=9),))
    model = compile_robot(session)
    assert [model.actuator(i).name for i in range(model.nu)] == ["rod", "left_hip", "right_hip"]
    change(session, actuators=(ActuatorGroup(joints="door_hip", kp=20, kd=1, effort_limit=9),))
    with pytest.raises(SceneError, match="'door_hip' matches no joints that can be driven.*Legal: rod, left_hip"):
        compile_robot(session)


def test_without_a_base_the_robot_is_the_first_tree_with_joints(session):
    ball = '<body name="ball" pos="3 0 0"><freejoint name="rolls"/><geom size=".1" mass="1"/></body>'
    roles = {name: role for name, role in session.robot().roles.items() if name != "base"}
    give(session, world=ball)
    change(session, roles=type(session.robot().roles)(**roles))
    assert compile_robot(session).nu == 2


def test_joints_without_a_name_are_called_after_their_body(session):
    def forget(spec):
        spec.joint("left_hip").name = ""
        spec.body("left_leg").add_joint(type=mujoco.mjtJoint.mjJNT_HINGE, axis=[1, 0, 0])
        spec.body("right_leg").add_joint(name="left_leg_joint1", type=mujoco.mjtJoint.mjJNT_SLIDE)

    change(
        session,
        actuators=(ActuatorGroup(joints=".*", kp=20, kd=1, effort_limit=9),),
        roles=type(session.robot().roles)(),
        gait=None,
    )
    give(session, edit=forget)
    names = [compile_robot(session).joint(i).name for i in range(1, 5)]
    assert names == ["left_leg_joint0", "left_leg_joint1_", "right_hip", "left_leg_joint1"]
    (warning,) = robot_alone(session).warnings("robot 'testbot'")
    assert "named hinges, slides and balls without a name: left_leg_joint0, left_leg_joint1_" in warning


def test_bodies_are_not_fused_and_weigh_what_they_weighed(session):
    toe = '<body name="toe" pos="0 0 -.1"><geom name="toe" size=".02" mass=".3"/></body>'
    give(session, trunk=toe)
    apart = compile_robot(session)
    give(session, head='<compiler fusestatic="true"/>', trunk=toe)
    sensors = {"touch": SensorConfig(type="contact", on="@feet")}
    for model in (compile_robot(session), scene(session, sensors=sensors)):
        np.testing.assert_allclose(model.body_mass, apart.body_mass)
        np.testing.assert_allclose(model.body("toe").pos, [0, 0, -0.1])
    (warning,) = robot_alone(session).warnings("robot 'testbot'")
    assert "bodies to be fused: toe" in warning
    assert "fusestatic" in warning


def test_a_model_that_was_fused_before_is_refused(session):
    give(session, head='<compiler fusestatic="true"/>', edit=lambda spec: spec.compile())
    with pytest.raises(SceneError, match="robot 'testbot'.*was compiled before.*fusestatic.*uncompiled"):
        compile_robot(session)


def test_a_model_that_was_compiled_before_is_as_good_as_a_fresh_one(session):
    fresh = scene(session)
    give(session, edit=lambda spec: spec.compile())
    np.testing.assert_array_equal(scene(session).body_mass, fresh.body_mass)


@pytest.mark.parametrize("collides", [False, True])
def test_geoms_that_something_refers_to_are_no_drawings(session, collides):
    def refer(spec):
        body = spec.body("trunk")
        for name in ("drum", "sensed", "paired"):
            body.add_geom(name=name, size=[0.02, 0, 0], contype=0, conaffinity=0, mass=0)
        body.add_site(name="a", pos=[0.1, 0, 0])
        body.add_site(name="b", pos=[-0.1, 0, 0])
        tendon = spec.add_tendon(name="cable")
        tendon.wrap_site("a")
        tendon.wrap_geom("drum", "")
        tendon.wrap_site("b")

    def add(robot, spec):
        frame = mujoco.mjtSensor.mjSENS_FRAMEPOS
        spec.add_sensor(name="s", type=frame, objtype=mujoco.mjtObj.mjOBJ_GEOM, objname="sensed")
        spec.add_pair(geomname1="paired", geomname2="left_foot_geom")

    give(session, edit=refer)
    session.setup_collisions = lambda spec, preset: add(session.robot(), spec)
    if collides:
        change(session, collisions={"all": (CollisionRule(geoms=".*"),)})
    names = {scene(session).geom(i).name for i in range(scene(session).ngeom)}
    assert {"drum", "sensed", "paired"} <= names
    assert ("trunk_paint" in names) == collides


def equal_hips_by_nan(spec):
    equality = spec.add_equality(type=mujoco.mjtEq.mjEQ_JOINT, objtype=mujoco.mjtObj.mjOBJ_JOINT)
    equality.name1, equality.name2, equality.data = "left_hip", "right_hip", [np.nan] * 11


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda spec: setattr(spec.geom("trunk_geom"), "size", [-1, 1, 1]), "size 0 must be positive.*'trunk_geom'"),
        (lambda spec: setattr(spec.body("trunk"), "inertia", [1, 1, 9]), "inertia must satisfy.*'trunk'"),
        (lambda spec: spec.add_mesh(name="shell", file="shell.stl"), "shell.stl"),
        (lambda spec: setattr(spec.body("left_leg"), "pos", [0, np.nan, 0]), "no number: pos of body 'left_leg'"),
        (lambda spec: setattr(spec.body("left_leg"), "pos", [0, np.inf, 0]), "too large: pos of body 'left_leg'. Corr"),
        (
            lambda spec: setattr(spec.geom("trunk_geom"), "friction", [np.nan] * 3),
            "no number: friction of geom 'trunk_g",
        ),
        (lambda spec: setattr(spec.joint("left_hip"), "springref", np.nan), "no number: qpos_spring of joint 'left_h"),
        (lambda spec: setattr(spec.joint("left_hip"), "ref", np.nan), "no number: .* of joint 'left_hip'"),
        (equal_hips_by_nan, "no number: data of equality number 0, which has no name"),
        (lambda spec: setattr(spec.joint("left_hip"), "frictionloss", np.nan), "frictionloss of joint 'left_hip'"),
        (lambda spec: spec.delete(spec.body("trunk")), "has no body"),
        (lambda spec: [spec.delete(joint) for joint in spec.joints], "has no hinge or slide"),
    ],
)
def test_a_model_that_is_wrong_is_one_message_that_names_the_robot(session, edit, message):
    give(session, edit=edit)
    for look in (compile_robot, scene):
        with pytest.raises(SceneError, match=f"robot 'testbot'.*{message}"):
            look(session)


def test_any_exception_of_mujoco_is_about_the_model():
    class Fails:
        def copy(self):
            raise mujoco.FatalError("engine error")

    from mjsdk.scene import alone

    with pytest.raises(SceneError, match="robot 'x' does not compile: engine error. Correct it"):
        alone.compile_model("robot 'x'", Fails())


def test_the_guide_has_the_rules():
    rows = [f"| {rule.what} | {rule.fate} | {rule.why} |" for rule in RULES]
    assert "\n".join(rows) in GUIDE.read_text(encoding="utf-8")
