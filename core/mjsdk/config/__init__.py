"""Settings: attrs classes, their layers, and what explains them."""

from mjsdk.config.agent import ActorConfig, AgentConfig, CriticConfig, PPOConfig
from mjsdk.config.env import (
    ActionTermConfig,
    CommandTermConfig,
    CurriculumTermConfig,
    EnvConfig,
    EventTermConfig,
    MetricTermConfig,
    NoiseConfig,
    ObservationGroupConfig,
    ObservationTermConfig,
    ResampledCommandConfig,
    RewardTermConfig,
    SceneConfig,
    SensorConfig,
    SimConfig,
    TerminationTermConfig,
    ViewerConfig,
)
from mjsdk.config.fields import Setting, setting, setting_of
from mjsdk.config.root import Config, TrainConfig

__all__ = [
    "ActionTermConfig",
    "ActorConfig",
    "AgentConfig",
    "CommandTermConfig",
    "Config",
    "CriticConfig",
    "CurriculumTermConfig",
    "EnvConfig",
    "EventTermConfig",
    "MetricTermConfig",
    "NoiseConfig",
    "ObservationGroupConfig",
    "ObservationTermConfig",
    "PPOConfig",
    "ResampledCommandConfig",
    "RewardTermConfig",
    "SceneConfig",
    "SensorConfig",
    "Setting",
    "SimConfig",
    "TerminationTermConfig",
    "TrainConfig",
    "ViewerConfig",
    "setting",
    "setting_of",
]
