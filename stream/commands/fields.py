"""`livesmlm fields`: every field of rig.toml with its default and its meaning, as a rig that could be edited."""

from __future__ import annotations

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from stream.config import Rig
from stream.sources import SOURCES


def all_fields() -> str:
    """Return TOML; fields without a default, and those that may be left out, are comments."""
    parts = []
    for name, field in Rig.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            parts.append(_section(f"[{name}]", section))
        else:  # [source] has fields for each kind
            parts += [
                _section(f'[{name}]\nkind = "{kind}"', plug.settings, hide=True) for kind, plug in SOURCES.items()
            ]
    return "\n\n".join(parts)


def _section(head: str, model: type[BaseModel], hide: bool = False) -> str:
    lines = [head, *(_line(name, field) for name, field in model.model_fields.items() if name != "kind")]
    return "\n".join(f"# {line}" for part in lines for line in part.split("\n")) if hide else "\n".join(lines)


def _line(name: str, field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    missing = default is PydanticUndefined or default is None
    shown = f"# {name} = ..." if missing else f"{name} = {_toml(default)}"
    about = " ".join((field.description or "").split())
    need = "required" if field.is_required() else ""
    return f"{shown:32}  # {'; '.join(part for part in (need, about) if part)}".rstrip(" #") if about or need else shown


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_toml(part)}" for name, part in value.items()) + "}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(_toml(part) for part in value)}]"
    return f"{value:g}" if isinstance(value, float) else f'"{value}"' if not isinstance(value, int) else str(value)
