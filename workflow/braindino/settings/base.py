"""The strict base model, and fields that carry their source."""

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """A model that refuses unknown keys and cannot be changed once validated."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def stated(default, section, description, **constraints):
    """Declare a value that the paper states, with the section that states it."""
    return Field(
        default, description=description, json_schema_extra={"source": f"§{section}"}, **constraints
    )


def assumed(default, why, description, **constraints):
    """Declare a value that the paper leaves open, with the reason for our choice."""
    return Field(
        default,
        description=description,
        json_schema_extra={"source": f"assumed: {why}"},
        **constraints,
    )
