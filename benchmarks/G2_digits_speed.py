"""G2: the digits' U-Net, images sampled and examples learned from per second; beside diffusers on PyTorch.

* sample: 64 images by DDIM in 50 steps of the cosine's 1000, classes given. Network, weights, schedule, steps and first
  noise are the same: `pixels` of the results agree to the rounding of float32. diffsim runs the loop in one program, by
  XLA or as a TensorFlow graph; diffusers as its manual has it, eagerly, and with its network under torch.compile.
* train: a step on 64 of 1024 images: noise, its estimate, squared error, gradients clipped to norm 1, Adam, and an
  exponential mean of the weights. diffsim by `gen.fit`; diffusers by its scheduler's add_noise, torch.optim.Adam, as it
  comes ("eager") and fused, and its EMAModel with foreach, the faster of its two.

PyTorch and TensorFlow run on all cores that OMP_NUM_THREADS names, here all. Peers run in the Python PEERS, by default
this one.
"""

import time
from pathlib import Path

import numpy as np

from harness import compare, timed

WEIGHTS = Path(__file__).parent.parent / "diffsim" / "generative" / "weights" / "digits.safetensors"
N, BATCH, STEPS, IMAGES = 1000, 64, 50, 1024


def noise():
    """x at the first step, and labels."""
    x = np.random.default_rng(1).standard_normal((BATCH, 8, 8, 1)).astype(np.float32)
    return x, np.arange(BATCH) % 10


def images():
    """What is learned from; here only its size matters."""
    x = np.random.default_rng(2).uniform(-1, 1, (IMAGES, 8, 8, 1)).astype(np.float32)
    return x, np.arange(IMAGES) % 10


class Scaled:
    """The network, told of step n of N as the time n/N that it learned with."""

    def __init__(self, network):
        self.network = network

    def __call__(self, x, n, condition=None):
        """Estimates v."""
        return self.network(x, n / N, condition)


def diffsim_network(dtype):
    """The digits' network, its dtype replaced."""
    from diffsim import generative as gen

    network = gen.training.load(WEIGHTS)
    if dtype == "float32":
        return network
    other = type(network).from_config(network.get_config() | {"dtype": dtype})
    other.set_weights(network.get_weights())
    return other


def diffsim_sample(how, dtype):
    """`gen.sample`."""
    import tensorflow as tf

    from diffsim import generative as gen

    schedule, (x, labels) = gen.Discrete.cosine(N), noise()
    mesh = gen.leading(schedule, STEPS)
    sampler = gen.samplers.ddim(gen.from_v(Scaled(diffsim_network(dtype)), schedule, labels), mesh)
    z = tf.constant(x / float(schedule.scales(tf.constant(mesh.lam[0]))[0]), tf.float32)
    options = {"jit": how == "xla"} if how != "default" else {}
    return lambda: gen.sample(sampler, z, progress=False, **options).final.numpy()


def diffusers_sample(how, dtype):
    """The loop of its manual."""
    import torch
    from diffusers import DDIMScheduler

    from unet_of_diffusers import unet

    model, (x, labels) = unet(WEIGHTS, N).eval(), noise()
    if dtype != "float32":
        model = model.to(torch.bfloat16)
    if how == "compiled":
        model = torch.compile(model)
    scheduler = DDIMScheduler(N, beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction", clip_sample=False)
    start, labels = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(labels)

    @torch.no_grad()
    def run():
        x = start
        scheduler.set_timesteps(STEPS)
        for n in scheduler.timesteps:
            v = model(x.to(model.dtype), n, labels).sample.float()
            x = scheduler.step(v, n, x).prev_sample
        return x.permute(0, 2, 3, 1).numpy()

    return run


def diffsim_train(how, dtype, steps):
    """Seconds of each of `steps` steps of `gen.fit`, by epoch, and of the first."""
    import keras

    import diffsim as ds
    from diffsim import generative as gen

    x, labels = images()
    marks = [time.perf_counter()]

    class Clock(keras.callbacks.Callback):
        """When steps ended."""

        def on_train_batch_end(self, batch, logs=None):
            """Note it."""
            marks.append(time.perf_counter())

    options = {} if how == "default" else {"jit": how == "xla"}
    gen.fit(diffsim_network(dtype), x, gen.Cosine(), labels=labels, steps=steps, batch=BATCH, key=ds.key(0),
            loss=gen.training.Matching(gen.training.Epsilon()), drop=0.0, every=100, progress=False,
            optimizer=keras.optimizers.Adam(1e-4, global_clipnorm=1.0), callbacks=[Clock()], **options)
    return marks


def diffusers_train(how, dtype, steps):
    """The same in PyTorch."""
    import torch
    from diffusers import DDPMScheduler
    from diffusers.training_utils import EMAModel

    from unet_of_diffusers import unet

    marks, model = [time.perf_counter()], unet(WEIGHTS, N)
    x, labels = (torch.from_numpy(a) for a in images())
    x = x.permute(0, 3, 1, 2).contiguous()
    scheduler = DDPMScheduler(N, beta_schedule="squaredcos_cap_v2")
    mean = EMAModel(model.parameters(), decay=0.999, foreach=True)
    optimizer = torch.optim.Adam(model.parameters(), 1e-4, fused=how != "eager")
    network = torch.compile(model) if how == "compiled" else model
    for _ in range(steps):
        rows = torch.randint(0, IMAGES, (BATCH,))
        epsilon, n = torch.randn(BATCH, 1, 8, 8), torch.randint(0, N, (BATCH,))
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype != "float32"):
            out = network(scheduler.add_noise(x[rows], epsilon, n), n, labels[rows]).sample
        loss = torch.nn.functional.mse_loss(out.float(), epsilon)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        mean.step(model.parameters())
        marks.append(time.perf_counter())
    return marks


def measure(problem, tool, how, dtype, steps):
    """Milliseconds of a step: of sampling 64 images, or of training."""
    if problem == "sample":
        run = {"diffsim": diffsim_sample, "diffusers": diffusers_sample}[tool](how, dtype)
        result = timed(run, 7)
        pixels = [round(float(v), 4) for v in run()[0, 3, :, 0]]
        return {**result, "ms_per_step": 1e3 * result["median_s"] / STEPS, "pixels": pixels}
    marks = {"diffsim": diffsim_train, "diffusers": diffusers_train}[tool](how, dtype, steps)
    rounds = np.diff(marks[100::100]) / 100  # steps one by one, epochs whole
    return {
        "first_step_s": marks[1] - marks[0],
        "ms_per_step": 1e3 * float(np.median(rounds)),
        "least_ms": 1e3 * float(rounds.min()),
        "most_ms": 1e3 * float(rounds.max()),
    }


def cases(fast):
    """Both problems, each tool in each way."""
    ways = {"diffsim": ("default", "xla", "graph"), "diffusers": ("eager", "fused", "compiled")}
    for dtype in ("float32",) if fast else ("float32", "mixed_bfloat16"):
        for problem in ("sample", "train"):
            steps = STEPS if problem == "sample" else 201 if fast else 301
            for tool, hows in ways.items():
                for how in hows:
                    if (problem, how) != ("sample", "fused"):
                        yield {"problem": problem, "tool": tool, "how": how, "dtype": dtype, "steps": steps}


if __name__ == "__main__":
    compare(__file__, measure, cases, lambda r: f"{r['ms_per_step']:.2f} ms per step", peers=("diffusers",))
