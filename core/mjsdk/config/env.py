"""Settings of the environment: scene, solver and the terms of every manager."""

from __future__ import annotations

from typing import Any

import attrs

from mjsdk.config.fields import setting
from mjsdk.robot.selection import Bodies, Geoms, Selection, Sites
from mjsdk.terms import CommandName

MAX_WORLDS = 65536
"""Upper bound of num_envs."""

PartKind = type[Selection]
"""A kind of parts of a model."""


@attrs.define(kw_only=True)
class SensorConfig:
    """One MuJoCo sensor on each of some parts of the robot."""

    type: str = setting(
        meaning="What is measured.",
        choices=(
            "gyro",
            "accelerometer",
            "velocimeter",
            "framelinvel",
            "frameangvel",
            "framepos",
            "framequat",
            "framezaxis",
            "touch",
            "contact",
            "subtreeangmom",
            "subtreelinvel",
            "groundcontacts",
            "subtreegroundcontacts",
        ),
        advice="contact gives the net force on the part from all that it touches, groundcontacts and subtreegroundcontacts "
        "how many contacts with the ground a geom or everything below a body has; the others are MuJoCo's sensors of that "
        "name.",
    )
    on: str = setting(
        meaning="Role (@imu) or regular expression of the parts that carry the sensor; sites, except for contact and subtree* (bodies) and groundcontacts (geoms)."
    )
    track_air_time: bool = setting(
        False,
        "Keep how long each part has been in the air and on the ground (type=contact).",
        advice="On if a term reads air_time, contact_time, last_air_time or first_contact.",
    )

    @property
    def parts(self) -> PartKind:
        """The kind of parts that this type of sensor is on."""
        if self.type == "groundcontacts":
            return Geoms
        return Bodies if self.type.startswith(("contact", "subtree")) else Sites


@attrs.define(kw_only=True)
class SceneConfig:
    """What is simulated, and how often."""

    num_envs: int = setting(
        512,
        "Parallel worlds.",
        recommended=(64, 8192),
        bounds=(1, MAX_WORLDS),
        advice="256 to 1024 on a few CPU cores, 4096 on a GPU. More worlds steady the gradient and slow each iteration.",
    )
    terrain: str = setting("flat", "Ground.", choices=("flat",))
    pose: str = setting(
        "", "Pose of the robot that episodes start from and actions are relative to; empty for the robot's default."
    )
    collisions: str = setting(
        "",
        "The robot's collision preset; empty for its default.",
        advice="Contacts dominate the cost of a step: train with `lean` where the robot has it, evaluate with `full`.",
    )
    sensors: dict[str, SensorConfig] = setting(factory=dict, meaning="Sensors that terms read, by name.")


@attrs.define(kw_only=True)
class SimConfig:
    """MuJoCo's solver options; see the MuJoCo documentation, section option."""

    timestep: float = setting(
        0.005,
        "Length of a physics step.",
        unit="s",
        recommended=(0.001, 0.01),
        exclusive_min=0.0,
        bounds=(1e-5, 0.1),
        advice="Longer is cheaper and less stable: 0.002 to 0.01 with implicitfast.",
    )
    integrator: str = setting(
        "implicitfast",
        "Numerical integrator.",
        choices=("euler", "implicit", "implicitfast", "rk4"),
        advice="implicitfast holds stiff joint damping at long steps.",
    )
    solver: str = setting(
        "newton",
        "Constraint solver.",
        choices=("pgs", "cg", "newton"),
        advice="newton is most exact, pgs cheapest with few contacts; the physics warp has no pgs.",
    )
    iterations: int = setting(
        10,
        "Iterations of the solver.",
        recommended=(4, 100),
        bounds=(None, 10_000),
        exclusive_min=0,
        advice="Too few make feet sink and slide; newton needs about 10, pgs 8 or more.",
    )
    ls_iterations: int = setting(
        20,
        "Iterations of the solver's line search (newton, cg).",
        recommended=(5, 50),
        bounds=(None, 10_000),
        exclusive_min=0,
    )
    tolerance: float = setting(
        1e-8, "Improvement at which the solver stops early.", recommended=(1e-12, 1e-4), bounds=(0.0, None)
    )
    ls_tolerance: float = setting(
        0.01, "Gradient at which the line search stops early.", recommended=(1e-4, 0.1), bounds=(0.0, None)
    )
    cone: str = setting(
        "pyramidal", "Friction cone.", choices=("pyramidal", "elliptic"), advice="elliptic slips less and costs more."
    )
    impratio: float = setting(
        1.0,
        "Ratio of frictional to normal impedance.",
        recommended=(1.0, 100.0),
        exclusive_min=0.0,
        advice="10 with elliptic cones lessens slip.",
    )
    ccd_iterations: int = setting(
        50, "Iterations of convex collision detection.", recommended=(10, 1000), bounds=(None, 10_000), exclusive_min=0
    )
    gravity: list[float] = setting(
        factory=lambda: [0.0, 0.0, -9.81],
        meaning="Gravity in the world frame.",
        unit="m/s^2",
        length=(3, 3),
        bounds=(-1000.0, 1000.0),
    )
    threads: int = setting(
        0,
        "CPU threads that step the worlds; 0 for as many as this process may use.",
        bounds=(0, 1024),
        recommended=(0, 64),
    )


@attrs.define(kw_only=True)
class TermConfig:
    """One entry of a manager."""

    func: str = setting(meaning="Term by name; a plugin's own are `plugin:name`.")
    params: dict[str, Any] = setting(
        factory=dict,
        meaning="Parameters of the term. `@role` names parts of the robot; other strings are full-match regular expressions.",
    )


@attrs.define(kw_only=True)
class NoiseConfig:
    """Random error added to an observation, new at every step and world."""

    type: str = setting("uniform", "Distribution.", choices=("uniform", "gaussian"))
    scale: float = setting(
        0.0,
        "Half-width of the uniform or standard deviation of the gaussian noise, in the observation's unit.",
        bounds=(0.0, None),
        advice="Take it from the sensor's data sheet, and double it.",
    )


@attrs.define(kw_only=True)
class ObservationTermConfig(TermConfig):
    """One slice of an observation. Order of work: term, noise, clip, scale, delay, history."""

    noise: NoiseConfig | None = setting(None, "Random error, only while the group's enable_corruption is on.")
    clip: list[float] | None = setting(None, "Smallest and largest value, before scaling.", endless=True)
    scale: float | list[float] = setting(1.0, "Factor, one or one per element.")
    delay_min_lag: int = setting(
        0, "Smallest delay, drawn per world and episode.", unit="control steps", bounds=(0, 1000), recommended=(0, 5)
    )
    delay_max_lag: int = setting(
        0,
        "Largest delay.",
        unit="control steps",
        bounds=(0, 1000),
        recommended=(0, 5),
        advice="One or two steps at 50 Hz cover a typical real robot.",
    )
    history_length: int = setting(
        1,
        "Frames kept, oldest first; 1 for the present only.",
        recommended=(1, 32),
        bounds=(1, 1000),
        advice="3 to 6 frames let a plain network estimate velocities.",
    )


@attrs.define(kw_only=True)
class ObservationGroupConfig:
    """Observations that one network sees, concatenated in this order."""

    terms: dict[str, ObservationTermConfig] = setting(factory=dict, meaning="Slices by name, in order.")
    enable_corruption: bool = setting(
        False,
        "Add the terms' noise and delay.",
        advice="On for the actor in training; eval and play switch it off unless asked otherwise.",
    )


@attrs.define(kw_only=True)
class CommandTermConfig:
    """What the policy is asked for. Subclasses add their own settings."""

    func: str = setting(meaning="Command term by name.")


@attrs.define(kw_only=True)
class ResampledCommandConfig(CommandTermConfig):
    """A command that is resampled at random intervals."""

    resampling_time_range: list[float] = setting(
        factory=lambda: [10.0, 10.0],
        meaning="Time until a new command is drawn, shortest and longest.",
        unit="s",
        exclusive_min=0.0,
        bounds=(None, 1e6),
        recommended=(1.0, 30.0),
    )


@attrs.define(kw_only=True)
class ActionTermConfig:
    """How a slice of the policy's output acts on the robot. Subclasses add their own settings."""

    func: str = setting(meaning="Action term by name.")


@attrs.define(kw_only=True)
class RewardTermConfig(TermConfig):
    """One summand of the reward: weight x term x step time."""

    weight: float = setting(
        0.0,
        "Weight, negative for penalties; 0 switches the term off.",
        unit="1/s",
        advice="Watch reward/<name> in the curves: no term should drown the rest.",
    )


@attrs.define(kw_only=True)
class TerminationTermConfig(TermConfig):
    """A reason to end an episode."""

    time_out: bool = setting(False, "A limit of time rather than a failure: its value is bootstrapped.")


@attrs.define(kw_only=True)
class EventTermConfig(TermConfig):
    """Something that happens to worlds."""

    mode: str = setting(
        "reset",
        "When.",
        choices=("startup", "reset", "interval"),
        advice="startup: once; reset: as an episode begins; interval: every interval_range_s.",
    )
    interval_range_s: list[float] | None = setting(
        None,
        "Time between events of one world, shortest and longest (mode=interval).",
        unit="s",
        exclusive_min=0.0,
        bounds=(None, 1e6),
        recommended=(0.5, 60.0),
    )


@attrs.define(kw_only=True)
class CurriculumTermConfig(TermConfig):
    """Something that changes during training."""


@attrs.define(kw_only=True)
class MetricTermConfig(TermConfig):
    """A quantity to log: the mean over all steps and worlds, without a part in the reward."""


@attrs.define(kw_only=True)
class ViewerConfig:
    """Where the camera of windows and videos is."""

    distance: float = setting(
        3.0,
        "Distance to the robot's base.",
        unit="m",
        recommended=(0.5, 20.0),
        exclusive_min=0.0,
        bounds=(None, 1000.0),
    )
    azimuth: float = setting(
        120.0, "Direction of view around the vertical.", unit="deg", recommended=(-360.0, 360.0), bounds=(-1e6, 1e6)
    )
    elevation: float = setting(-15.0, "Direction of view above the horizon.", unit="deg", bounds=(-90.0, 90.0))
    width: int = setting(
        640, "Width of videos.", unit="px", recommended=(160, 1920), exclusive_min=0, bounds=(None, 8192)
    )
    height: int = setting(
        480, "Height of videos.", unit="px", recommended=(120, 1080), exclusive_min=0, bounds=(None, 8192)
    )


@attrs.define(kw_only=True)
class EnvConfig:
    """The environment."""

    decimation: int = setting(
        4,
        "Physics steps per control step.",
        recommended=(1, 20),
        bounds=(None, 10_000),
        exclusive_min=0,
        advice="decimation x sim.timestep is the control period; 0.02 s (50 Hz) suits legged robots.",
    )
    episode_length_s: float = setting(
        20.0, "Longest episode.", unit="s", recommended=(2.0, 60.0), exclusive_min=0.0, bounds=(None, 1e6)
    )
    scene: SceneConfig = setting(factory=SceneConfig, meaning="What is simulated, and how many times.")
    sim: SimConfig = setting(factory=SimConfig, meaning="MuJoCo's time step and solver.")
    observations: dict[str, ObservationGroupConfig] = setting(
        factory=dict, meaning="Groups of observations: `actor` and `critic`."
    )
    actions: dict[str, ActionTermConfig] = setting(factory=dict, meaning="Slices of the action, in order.")
    commands: dict[str, CommandTermConfig] = setting(factory=dict, meaning="What is asked of the policy.")
    rewards: dict[str, RewardTermConfig] = setting(factory=dict, meaning="Summands of the reward.")
    terminations: dict[str, TerminationTermConfig] = setting(factory=dict, meaning="Reasons to end an episode.")
    events: dict[str, EventTermConfig] = setting(factory=dict, meaning="Resets, pushes and randomisation.")
    curriculum: dict[str, CurriculumTermConfig] = setting(factory=dict, meaning="What changes during training.")
    metrics: dict[str, MetricTermConfig] = setting(factory=dict, meaning="Quantities that are only logged.")
    mirror_clock: CommandName = setting(
        "",
        "Gait clock in whose second half the networks see the world mirrored, and their actions are mirrored back; empty for never.",
        advice="Makes the policy exactly symmetric and learning faster; needs a robot whose parts come in pairs.",
    )
    only_positive_rewards: bool = setting(
        False,
        "Floor the sum of all rewards at 0.",
        advice="Keeps early training from learning that ending the episode is better than penalties.",
    )
    viewer: ViewerConfig = setting(factory=ViewerConfig, meaning="The camera of windows and videos.")

    @property
    def step_dt(self) -> float:
        """Control period [s]."""
        return self.decimation * self.sim.timestep
