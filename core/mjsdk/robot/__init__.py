"""What a robot package says: the facts of its machine, and how parts of it are chosen."""

from mjsdk.robot.facts import (
    PARTS,
    ActuatorGroup,
    CollisionRule,
    Gait,
    InitialState,
    Robot,
    Role,
    Roles,
)

__all__ = ["PARTS", "ActuatorGroup", "CollisionRule", "Gait", "InitialState", "Robot", "Role", "Roles"]
