"""Resource attributes from arguments, environment and the process (OpenTelemetry resource conventions)."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any, Dict, Mapping, Optional
from urllib.parse import unquote

from .entry import Plain, plain_value
from .version import version


def make_resource(service_name: Optional[str], given: Optional[Mapping[str, Any]]) -> Dict[str, Plain]:
    """Arguments win over `OTEL_SERVICE_NAME`, which wins over `OTEL_RESOURCE_ATTRIBUTES`, as the specification says."""
    attributes: Dict[str, Plain] = {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "clew-logging",
        "telemetry.sdk.version": version,
        "process.pid": os.getpid(),
        "process.runtime.version": ".".join(str(part) for part in sys.version_info[:3]),
        "host.name": socket.gethostname(),
    }
    attributes.update(_from_environment(os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")))
    name = os.environ.get("OTEL_SERVICE_NAME", "")
    if name:
        attributes["service.name"] = name
    for key, value in (given or {}).items():
        attributes[str(key)] = plain_value(value)
    if service_name:
        attributes["service.name"] = service_name
    attributes.setdefault("service.name", _program_name())
    return attributes


def _from_environment(text: str) -> Dict[str, Plain]:
    """`key=value,key=value`, values percent-encoded (W3C Baggage)."""
    attributes: Dict[str, Plain] = {}
    for pair in text.split(","):
        key, separator, value = pair.partition("=")
        if separator and key.strip():
            attributes[key.strip()] = unquote(value.strip().strip('"'))
    return attributes


def _program_name() -> str:
    name = os.path.basename(sys.argv[0]) if sys.argv and sys.argv[0] not in ("", "-c", "-m") else ""
    return "unknown_service" if name == "" else f"unknown_service:{name}"
