"""The strict base model, and fields that carry their source."""

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """A model that refuses unknown keys and cannot be changed once validated."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def stated(default, section, description, **constraints):
    """Declare a value that the paper states, with the section that states it."""
    source = f"§{section}" if section[0].isdigit() else section
    return Field(
        default, description=description, json_schema_extra={"source": source}, **constraints
    )


def assumed(default, why, description, **constraints):
    """Declare a value that the paper leaves open, with the reason for our choice."""
    return Field(
        default,
        description=description,
        json_schema_extra={"source": f"assumed: {why}"},
        **constraints,
    )
