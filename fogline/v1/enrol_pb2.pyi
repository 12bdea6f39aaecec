from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EnrolRequest(_message.Message):
    __slots__ = ("secret", "request", "issuing_request", "role", "name")
    SECRET_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    ISSUING_REQUEST_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    secret: bytes
    request: bytes
    issuing_request: bytes
    role: str
    name: str
    def __init__(self, secret: _Optional[bytes] = ..., request: _Optional[bytes] = ..., issuing_request: _Optional[bytes] = ..., role: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class EnrolResponse(_message.Message):
    __slots__ = ("granted",)
    GRANTED_FIELD_NUMBER: _ClassVar[int]
    granted: Granted
    def __init__(self, granted: _Optional[_Union[Granted, _Mapping]] = ...) -> None: ...

class RenewRequest(_message.Message):
    __slots__ = ("request", "issuing_request", "certificates", "signature")
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    ISSUING_REQUEST_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    request: bytes
    issuing_request: bytes
    certificates: _containers.RepeatedScalarFieldContainer[bytes]
    signature: bytes
    def __init__(self, request: _Optional[bytes] = ..., issuing_request: _Optional[bytes] = ..., certificates: _Optional[_Iterable[bytes]] = ..., signature: _Optional[bytes] = ...) -> None: ...

class RenewResponse(_message.Message):
    __slots__ = ("granted",)
    GRANTED_FIELD_NUMBER: _ClassVar[int]
    granted: Granted
    def __init__(self, granted: _Optional[_Union[Granted, _Mapping]] = ...) -> None: ...

class Granted(_message.Message):
    __slots__ = ("certificates", "issuing", "authority", "tenant", "role", "name", "parents", "now_us", "trusted")
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    ISSUING_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PARENTS_FIELD_NUMBER: _ClassVar[int]
    NOW_US_FIELD_NUMBER: _ClassVar[int]
    TRUSTED_FIELD_NUMBER: _ClassVar[int]
    certificates: _containers.RepeatedScalarFieldContainer[bytes]
    issuing: _containers.RepeatedScalarFieldContainer[bytes]
    authority: bytes
    tenant: str
    role: str
    name: str
    parents: _containers.RepeatedScalarFieldContainer[str]
    now_us: int
    trusted: _containers.RepeatedCompositeFieldContainer[TrustedAuthority]
    def __init__(self, certificates: _Optional[_Iterable[bytes]] = ..., issuing: _Optional[_Iterable[bytes]] = ..., authority: _Optional[bytes] = ..., tenant: _Optional[str] = ..., role: _Optional[str] = ..., name: _Optional[str] = ..., parents: _Optional[_Iterable[str]] = ..., now_us: _Optional[int] = ..., trusted: _Optional[_Iterable[_Union[TrustedAuthority, _Mapping]]] = ...) -> None: ...

class TrustedAuthority(_message.Message):
    __slots__ = ("certificate", "signature")
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    certificate: bytes
    signature: bytes
    def __init__(self, certificate: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class CreateTokenRequest(_message.Message):
    __slots__ = ("role", "name", "expires_us")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_US_FIELD_NUMBER: _ClassVar[int]
    role: str
    name: str
    expires_us: int
    def __init__(self, role: _Optional[str] = ..., name: _Optional[str] = ..., expires_us: _Optional[int] = ...) -> None: ...

class CreateTokenResponse(_message.Message):
    __slots__ = ("token", "about")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    ABOUT_FIELD_NUMBER: _ClassVar[int]
    token: str
    about: JoinToken
    def __init__(self, token: _Optional[str] = ..., about: _Optional[_Union[JoinToken, _Mapping]] = ...) -> None: ...

class JoinToken(_message.Message):
    __slots__ = ("id", "role", "name", "created_us", "expires_us", "used_us", "used_at", "revoked_us")
    ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CREATED_US_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_US_FIELD_NUMBER: _ClassVar[int]
    USED_US_FIELD_NUMBER: _ClassVar[int]
    USED_AT_FIELD_NUMBER: _ClassVar[int]
    REVOKED_US_FIELD_NUMBER: _ClassVar[int]
    id: str
    role: str
    name: str
    created_us: int
    expires_us: int
    used_us: int
    used_at: str
    revoked_us: int
    def __init__(self, id: _Optional[str] = ..., role: _Optional[str] = ..., name: _Optional[str] = ..., created_us: _Optional[int] = ..., expires_us: _Optional[int] = ..., used_us: _Optional[int] = ..., used_at: _Optional[str] = ..., revoked_us: _Optional[int] = ...) -> None: ...

class ListTokensRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListTokensResponse(_message.Message):
    __slots__ = ("tokens",)
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    tokens: _containers.RepeatedCompositeFieldContainer[JoinToken]
    def __init__(self, tokens: _Optional[_Iterable[_Union[JoinToken, _Mapping]]] = ...) -> None: ...

class RevokeTokenRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class RevokeTokenResponse(_message.Message):
    __slots__ = ("about",)
    ABOUT_FIELD_NUMBER: _ClassVar[int]
    about: JoinToken
    def __init__(self, about: _Optional[_Union[JoinToken, _Mapping]] = ...) -> None: ...

class RevokeIdentityRequest(_message.Message):
    __slots__ = ("role", "name")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    role: str
    name: str
    def __init__(self, role: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class RevokeIdentityResponse(_message.Message):
    __slots__ = ("keys",)
    KEYS_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, keys: _Optional[_Iterable[str]] = ...) -> None: ...

class SignedAdmission(_message.Message):
    __slots__ = ("content", "signature")
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    content: bytes
    signature: bytes
    def __init__(self, content: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class Admission(_message.Message):
    __slots__ = ("version", "tokens", "revoked")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    REVOKED_FIELD_NUMBER: _ClassVar[int]
    version: int
    tokens: _containers.RepeatedCompositeFieldContainer[OpenToken]
    revoked: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, version: _Optional[int] = ..., tokens: _Optional[_Iterable[_Union[OpenToken, _Mapping]]] = ..., revoked: _Optional[_Iterable[str]] = ...) -> None: ...

class OpenToken(_message.Message):
    __slots__ = ("hash", "tenant", "role", "name", "expires_us")
    HASH_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_US_FIELD_NUMBER: _ClassVar[int]
    hash: bytes
    tenant: str
    role: str
    name: str
    expires_us: int
    def __init__(self, hash: _Optional[bytes] = ..., tenant: _Optional[str] = ..., role: _Optional[str] = ..., name: _Optional[str] = ..., expires_us: _Optional[int] = ...) -> None: ...

class FollowRequest(_message.Message):
    __slots__ = ("enrolments",)
    ENROLMENTS_FIELD_NUMBER: _ClassVar[int]
    enrolments: _containers.RepeatedCompositeFieldContainer[Enrolment]
    def __init__(self, enrolments: _Optional[_Iterable[_Union[Enrolment, _Mapping]]] = ...) -> None: ...

class FollowResponse(_message.Message):
    __slots__ = ("admission", "heard")
    ADMISSION_FIELD_NUMBER: _ClassVar[int]
    HEARD_FIELD_NUMBER: _ClassVar[int]
    admission: SignedAdmission
    heard: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, admission: _Optional[_Union[SignedAdmission, _Mapping]] = ..., heard: _Optional[_Iterable[str]] = ...) -> None: ...

class Enrolment(_message.Message):
    __slots__ = ("certificates", "token", "by", "at_us")
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    AT_US_FIELD_NUMBER: _ClassVar[int]
    certificates: _containers.RepeatedScalarFieldContainer[bytes]
    token: bytes
    by: str
    at_us: int
    def __init__(self, certificates: _Optional[_Iterable[bytes]] = ..., token: _Optional[bytes] = ..., by: _Optional[str] = ..., at_us: _Optional[int] = ...) -> None: ...

class EnrolmentBook(_message.Message):
    __slots__ = ("enrolments", "heard")
    ENROLMENTS_FIELD_NUMBER: _ClassVar[int]
    HEARD_FIELD_NUMBER: _ClassVar[int]
    enrolments: _containers.RepeatedCompositeFieldContainer[Enrolment]
    heard: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, enrolments: _Optional[_Iterable[_Union[Enrolment, _Mapping]]] = ..., heard: _Optional[_Iterable[str]] = ...) -> None: ...
