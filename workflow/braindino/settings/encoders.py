"""An encoder's card: where its weights are, what it is built of, what it sees and what is read."""

from typing import Any, Literal

from pydantic import Field, model_validator

from braindino.settings.base import Strict, assumed
from braindino.settings.views import Inputs

GRID = 16  # pixels or voxels that the decoders of segmentation make of one


class Weights(Strict):
    """Where an encoder's weights are published, and how every key of the file is accounted for.

    Keys are matched by regular expressions against their whole name.
    """

    file: str = Field(description="path below the weights root; .safetensors or a torch pickle")
    published: str = Field("", description="where they are published, and the file's name there")
    size: int | None = Field(None, description="bytes, when known", gt=0)
    sha256: str | None = Field(None, description="checksum, when known")
    how_to_get: str = Field(description="one sentence: where to ask, what to download")
    unwrap: str | None = Field(
        None, description="key of a pickled dict that holds the weights, e.g. state_dict"
    )
    prefix: str = Field(
        "", description="start of the encoder's keys, which is cut off; the rest is not its own"
    )
    rename: dict[str, str] = Field(
        {}, description="how the file's keys become the network's: expression: replacement"
    )
    unused: list[str] = Field([], description="keys of the file that are left out, with prefix")
    zero: list[str] = Field(
        [], description="keys that are left out because they hold zeros, which is checked"
    )
    missing: list[str] = Field([], description="keys of the network that the file may lack")

    def __str__(self):
        return self.file


class Layers(Strict):
    """Modules whose outputs stand for the encoder's depths (paper §4.6: blocks 2, 6 and 11)."""

    early: str
    mid: str
    late: str


class Segmentation(Strict):
    """How the encoder enters a segmentation network (paper §4.3.1)."""

    channels: Literal["fuse", "repeat", "replace", "tokenizers"] = Field(
        description="four contrasts: fuse: a 1x1 convolution before it; repeat: its first kernel, "
        "rescaled; replace: a new first convolution; tokenizers: one for each contrast"
    )
    native: Literal["repeat", "replace", "tokenizers"] | None = Field(
        None, description="what its own code does instead; null: the same, or nothing is known"
    )
    size: tuple[int, ...] = Field(description="pixels or voxels of a training patch")
    layers: list[str] = Field(description="modules whose outputs the decoder takes, shallow first")
    source: str = Field(description="where the adaptation comes from")

    @model_validator(mode="after")
    def _grid_fits(self):
        if len(self.size) not in (2, 3) or any(side % GRID for side in self.size):
            raise ValueError(f"'size' needs two or three sides that {GRID} divides")
        return self


class EncoderCard(Strict):
    """A frozen encoder."""

    name: str
    title: str
    citation: str
    licence: str
    access: Literal["open", "gated", "request", "unreleased", "none"] = Field(
        description="of the weights; none: there are none to get"
    )
    source: Literal["recipe", "timm", "python", "none"] = Field(
        description="recipe: the checkpoint this run pretrains; timm: a timm model; python: a "
        "class, e.g. of MONAI or of your own; none: it cannot be an encoder, see its note"
    )
    architecture: str | None = Field(
        None, description="timm: name of the model; python: path of the class, package.module.Class"
    )
    arguments: dict[str, Any] = Field({}, description="of the timm model or the class")
    weights: Weights | None = None
    untrained: bool = Field(False, description="a control: random weights, whatever is published")
    input: Inputs | None = Field(None, description="what the network is fed")
    modalities: dict[str, str] = Field(
        {}, description="contrast: the name by which the network is told it, as second argument"
    )
    tokens: str | None = Field(
        None, description="module whose output is read; null: the network's own output"
    )
    prefix_tokens: int = Field(0, description="tokens before the patch tokens, class token first")
    patch: int = Field(
        16,
        description="pixels or voxels along a patch token's side; its grid fills the input",
    )
    embedding: Literal["cls", "mean"] = Field(
        "cls",
        description="what represents a slice or a volume: cls: the first token (§4.3); mean: the "
        "mean of the patch tokens or of a feature map",
    )
    layers: Layers | None = Field(
        None, description="for CKA; null: blocks at the paper's relative depths"
    )
    segmentation: Segmentation | None = None
    invariant_to: list[Literal["left-right", "back-front", "bottom-top"]] = Field(
        [],
        description="mirrored brains that keep their embedding; the mean over slices implies "
        "bottom-top",
    )
    pretrained_on: list[str] = Field([], description="cohorts its own authors pretrained on")
    note: str = ""

    def trained_by(self, architecture, arguments, channels):
        """Return the card of a recipe's encoder: its timm network, fed as the recipe feeds it.

        Contrasts of a session are not at hand where volumes are embedded one by one; a lone one
        stands for all three, as in pretraining.
        """
        neighbours = {"neighbours": channels == "neighbours"}
        native = self.input.native.model_copy(update=neighbours)
        return self.model_copy(
            update={
                "source": "timm",
                "architecture": architecture,
                "arguments": arguments,
                "input": self.input.model_copy(update={"native": native}),
            }
        )

    @model_validator(mode="after")
    def _source_is_complete(self):
        if self.source in ("timm", "python") and not (self.architecture and self.input):
            raise ValueError(f"source '{self.source}' needs 'architecture' and 'input'")
        if self.source == "timm" and not (self.weights or self.untrained):
            raise ValueError("source 'timm' needs 'weights', or 'untrained: true'")
        if self.source == "recipe" and not self.input:
            raise ValueError("source 'recipe' needs 'input'")
        if self.source == "none" and not self.note:
            raise ValueError("source 'none' needs a 'note' that says why it cannot be an encoder")
        return self


class Features(Strict):
    """What is read of a frozen encoder."""

    preset: Literal["native", "paper"] = assumed(
        "native",
        "each encoder as its own authors run it; the released evaluation feeds the 3-D ones "
        "transposed axes and another intensity",
        "input of the encoders: native: each one's own; paper: the released evaluation's",
    )
    axial_range: tuple[float, float] = assumed(
        (0.35, 0.6),
        "'a fixed central axial range' of subcortical structures (§4.3.2): midbrain to the top of "
        "the striatum in MNI152, whose brain spans z = -72 to 82 mm",
        "part of the input's axial planes, from below, over which patch tokens are averaged",
    )

    @model_validator(mode="after")
    def _range_is_a_range(self):
        low, high = self.axial_range
        if not 0 <= low < high <= 1:
            raise ValueError("'axial_range' needs two shares, 0 <= low < high <= 1")
        return self
