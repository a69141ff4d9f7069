import copy

import pytest
import torch
from timm.models.eva import EvaBlock

from braindino.pretrain.attention import PlainAttention, use_plain_attention


def block(**changes):
    torch.manual_seed(0)
    arguments = {"qkv_fused": True, "qkv_bias": False, "rotate_half": True, "num_prefix_tokens": 2}
    return EvaBlock(16, 2, init_values=1.0, **arguments | changes)


@pytest.fixture
def inputs():
    rng = torch.Generator().manual_seed(1)
    angles = torch.rand(5, 4, generator=rng).repeat(1, 2)  # of 5 patches; both halves' are the same
    rope = torch.cat([angles.sin(), angles.cos()], dim=-1)
    return torch.randn(3, 7, 16, generator=rng), rope


def run(made, tokens, rope):
    """Return what a block makes of tokens, and all gradients of a function of that."""
    tokens = tokens.clone().requires_grad_()
    out = made(tokens, rope=rope)
    out.pow(3).sum().backward()
    return out, tokens.grad, [p.grad for p in made.parameters()]


def test_outputs_and_gradients_are_timms(inputs):
    theirs = block()
    ours = copy.deepcopy(theirs)
    use_plain_attention(ours)
    assert type(ours.attn) is PlainAttention
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    torch.testing.assert_close(run(ours, *inputs), run(theirs, *inputs))


@pytest.mark.parametrize(
    "changes", [{"qkv_bias": True}, {"rotate_half": False}, {"scale_attn_inner": True}]
)
def test_another_attention_stays_timms(changes, inputs):
    made = block(**changes)
    use_plain_attention(made)
    assert type(made.attn) is not PlainAttention and not made.attn.fused_attn
    run(made, *inputs)
