"""Which right each call needs. What is not in the table is refused: a new method cannot be forgotten open."""

from collections.abc import Mapping
from typing import Final

from fogline.model.caller import Right

HEALTH: Final = "grpc.health.v1.Health"
REFLECTION: Final = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
OPEN: Final = frozenset({HEALTH})
"""Services that ask nobody who comes."""
MACHINES: Final = frozenset({"fogline.v1.UplinkService", "fogline.v1.ControlService"})
"""Services of nodes and aggregators, who show certificates at their own port; with `plaintext` nothing, at this one."""

_READ: Final = (
    "PipelineService/ListPipelines",
    "PipelineService/GetPipeline",
    "PipelineService/ListReleases",
    "StreamService/ListStreams",
    "NodeService/ListNodes",
    "NodeService/GetNode",
    "ResultService/GetResults",
    "ResultService/ListResults",
    "ResultService/GetLatest",
    "StatusService/GetStatus",
    "StatusService/GetLedger",
    "ContainerService/ListContainers",
    "ContainerService/GetLogs",
    "ContainerService/ListEvents",
    "ContainerService/GetUsage",
    "SigningService/ListSigningKeys",
)
_OTHERS: Final[Mapping[str, Right | None]] = {
    "PipelineService/Deploy": Right.DEPLOY,
    "PipelineService/Rollback": Right.DEPLOY,
    "NodeService/RetireNode": Right.DEPLOY,
    "ContainerService/Exec": Right.EXEC,
    "AdmissionService/CreateToken": Right.ADMIT,
    "AdmissionService/ListTokens": Right.ADMIT,
    "AdmissionService/RevokeToken": Right.ADMIT,
    "AdmissionService/RevokeIdentity": Right.ADMIT,
    "AccessService/CreateApiToken": Right.ADMIT,
    "AccessService/ListApiTokens": Right.ADMIT,
    "AccessService/RevokeApiToken": Right.ADMIT,
    "AccessService/GetCaller": None,
    "SigningService/RotateSigningKey": Right.OPERATE,
}
METHODS: Final[Mapping[str, Right | None]] = {
    **{f"/fogline.v1.{method}": Right.READ for method in _READ},
    **{f"/fogline.v1.{method}": right for method, right in _OTHERS.items()},
    **{f"/{service}/ServerReflectionInfo": None for service in REFLECTION},
}
"""The right of each method; None: any token that holds."""
