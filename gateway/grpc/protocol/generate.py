"""Write what is generated from inference.proto: `python -m gateway.grpc.protocol.generate`."""

import re
import sys
from pathlib import Path

from grpc_tools import protoc

HERE = Path(__file__).parent
_POOL = "DESCRIPTOR: _descriptor.FileDescriptor\n"


def generate(folder: Path) -> None:
    """Write the descriptors (inference.binpb) and the types (inference_pb2.pyi) into `folder`."""
    status = protoc.main(
        [
            "protoc",
            f"-I{HERE}",
            f"--descriptor_set_out={folder / 'inference.binpb'}",
            f"--pyi_out={folder}",
            "inference.proto",
        ]
    )
    if status != 0:
        sys.exit(status)
    types = folder / "inference_pb2.pyi"
    text = types.read_text()
    assert _POOL in text
    text = text.replace(_POOL, f"{_POOL}POOL: _DescriptorPool\n")
    text = re.sub(r"_Mapping\]", "_Mapping[str, object]]", text)  # protoc leaves mypy wanting
    types.write_text(
        "from google.protobuf.descriptor_pool import DescriptorPool as _DescriptorPool\n" + text
    )


if __name__ == "__main__":
    generate(HERE)
