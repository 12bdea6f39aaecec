from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class FetchRequest(_message.Message):
    __slots__ = ("image", "digest")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    image: str
    digest: str
    def __init__(self, image: _Optional[str] = ..., digest: _Optional[str] = ...) -> None: ...

class FetchResponse(_message.Message):
    __slots__ = ("data", "have", "size")
    DATA_FIELD_NUMBER: _ClassVar[int]
    HAVE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    have: int
    size: int
    def __init__(self, data: _Optional[bytes] = ..., have: _Optional[int] = ..., size: _Optional[int] = ...) -> None: ...
