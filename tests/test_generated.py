"""What the committed networks draw, judged by classifiers and by the solver's own fields."""

import importlib.util
from pathlib import Path

import pytest
import safetensors

from diffsim import generative as gen

ROOT = Path(__file__).parent.parent
WEIGHTS = Path(gen.__file__).parent / "weights"


def example(name):
    spec = importlib.util.spec_from_file_location(f"example_{name}", ROOT / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_weights_are_small_and_say_what_they_are_of():
    for name in ("digits", "turing", "codes"):
        file = WEIGHTS / f"{name}.safetensors"
        assert file.stat().st_size < 3e6
        with safetensors.safe_open(file, "numpy") as stored:
            facts = stored.metadata()
        assert facts["schedule"] == "Cosine(s=0.008)" and facts["predicts"] == "v" and "UNet" in facts["network"]


@pytest.mark.slow
def test_digits():
    pytest.importorskip("sklearn")
    seen = example("61_digits").main(fast=True)
    assert seen["recognised of real ones"] > 0.95
    assert seen["recognised"] >= 0.9
    assert seen["lead over the mixture"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ("62_turing_generated", "63_latent"))
def test_patterns(name):
    """Shares are within 5 standard errors of 96 samples: 0.24, so that a network which left out a kind would fail."""
    seen = example(name).main(fast=True)
    assert seen["wavelength"] == pytest.approx(seen["wavelength of the solver"], rel=0.03)
    assert seen["largest gap of shares / σ"] <= 5
    assert seen["labyrinth"] + seen["spots"] + seen["holes"] > 0.9
    assert seen["area between S(k), relative"] < 0.2
    if name == "63_latent":
        assert seen["error of decoded fields"] < 0.1
        assert seen["decoded fields of the same kind"] > 0.9


@pytest.mark.slow
def test_learned_variance_needs_fewer_bits():
    """On digits that neither the network nor the choice of where chains begin has seen: 5σ of paired differences."""
    out = example("67_bits_per_dimension").main()
    for name in ("small − learned", "large − learned", "large of noise alone − learned"):
        difference, error = out[name]
        assert difference > 5 * error > 0
    assert out["by the flow"][0] < out["learned"][0]
