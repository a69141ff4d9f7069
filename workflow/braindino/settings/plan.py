"""What the target `plan` reckons with: a machine and a corpus, which change no result."""

from typing import Literal

from pydantic import Field

from braindino.settings.base import Strict

# Peak bfloat16 TFLOP/s of one GPU, dense, from the vendors' data sheets (SXM where there are two).
PEAK_TFLOPS = {
    "A40": 149.7,
    "A100": 312,
    "L40S": 362,
    "H100": 989,
    "H200": 989,
    "B200": 2250,
    "MI300X": 1307,
}


class Plan(Strict):
    """The machine that would pretrain, and the corpus it would read."""

    gpu: Literal[*PEAK_TFLOPS] = Field("A100", description="GPU (§4.2: A100)")
    gpus: int = Field(4, description="number of GPUs (§4.2: 4)", ge=1)
    utilisation: float = Field(
        0.4,
        description="share of the peak that a run reaches; 0.3 to 0.5 where the loader keeps up",
        gt=0,
        le=1,
    )
    volumes: int = Field(51_000, description="volumes of the corpus (§4.1.1: over 51k)", ge=1)
