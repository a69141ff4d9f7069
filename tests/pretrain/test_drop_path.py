import pytest
import torch
from timm.models.eva import EvaBlock
from timm.models.vision_transformer import Block

from braindino.pretrain.drop_path import run_block


def block(kind):
    torch.manual_seed(0)
    if kind == "eva":
        return EvaBlock(12, 2, init_values=0.5).eval()
    return Block(12, 2, init_values=0.5).eval()


@pytest.fixture(params=["eva", "plain"])
def parts(request):
    """A block, tokens of six images, and what its branches add to them."""
    made = block(request.param)
    tokens = torch.randn(6, 4, 12, generator=torch.Generator().manual_seed(1))
    scale = (
        (made.gamma_1, made.gamma_2) if request.param == "eva" else (made.ls1.gamma, made.ls2.gamma)
    )
    return made, tokens, scale


def test_without_a_rate_outputs_and_gradients_are_timms(parts):
    made, tokens, _ = parts
    tokens.requires_grad_()

    def gradients(out):
        return torch.autograd.grad(out.pow(3).sum(), [tokens, *made.parameters()])

    ours, theirs = run_block(made, tokens, {}, 0.0), made(tokens)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradients(ours), gradients(theirs))


@torch.no_grad()
def test_a_third_of_the_batch_skips_each_branch_and_the_rest_makes_up_for_it(parts):
    made, tokens, scale = parts
    torch.manual_seed(7)
    result = run_block(made, tokens, {}, 1 / 3)
    torch.manual_seed(7)
    attending, feeding = torch.randperm(6)[:4], torch.randperm(6)[:4]
    expected = tokens.clone()
    expected[attending] += 1.5 * scale[0] * made.attn(made.norm1(tokens[attending]))
    middle = expected.clone()
    expected[feeding] += 1.5 * scale[1] * made.mlp(made.norm2(middle[feeding]))
    torch.testing.assert_close(result, expected)


@torch.no_grad()
def test_on_average_nothing_changes(parts):
    made, tokens, _ = parts
    made.mlp.fc2.weight.zero_()  # a single branch: two of them are not linear
    made.mlp.fc2.bias.zero_()
    whole = made(tokens)
    mean = torch.stack([run_block(made, tokens, {}, 0.5) for _ in range(4000)]).mean(0)
    spread = (whole - tokens).abs().max()
    torch.testing.assert_close(mean, whole, atol=0.1 * spread.item(), rtol=0)
