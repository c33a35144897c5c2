"""The messages of inference.proto, as classes.

They live in a descriptor pool of their own: tritonclient, and whoever else speaks the protocol in
this process, registers messages of the same names in the default one, which takes each name once.
"""

from importlib.resources import files
from typing import Final

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

POOL: Final = DescriptorPool()
_SET: Final = FileDescriptorSet.FromString(
    files("gateway.grpc.protocol").joinpath("inference.binpb").read_bytes()
)
for _file in _SET.file:
    POOL.Add(_file)
DESCRIPTOR: Final = POOL.FindFileByName("inference.proto")
globals().update(
    {name: GetMessageClass(message) for name, message in DESCRIPTOR.message_types_by_name.items()}
)
