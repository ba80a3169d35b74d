"""Single formulas of generative models, each worked out by hand in a line or two: no network, hardly a step."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import beta

import diffsim as ds
from diffsim import generative as gen
from diffsim.generative import samplers as S
from diffsim.generative import training
from diffsim.generative.moments import moments
from diffsim.generative.training import intake
from diffsim.generative.training.draws import Draws
from diffsim.generative.widths import between
from diffsim.steppers.pseudo import PLMS

F64 = tf.float64
GAUSS = gen.Gaussian([0.7], 0.09)


def test_a_table_is_looked_up_at_the_nearest_step():
    chain = gen.Discrete.linear(10)
    np.testing.assert_array_equal(chain.label(chain.lam([3.4, 3.6, 8.6])), [3.0, 4.0, 9.0])


def test_quantiles_of_a_beta_distribution_that_leans():
    levels = 0.1 + 4.9 * beta.ppf(np.linspace(1, 0, 7), 0.5, 1.4)
    np.testing.assert_allclose(gen.beta(7, 0.1, 5.0, a=0.5, b=1.4).sigma[:-1], levels, rtol=1e-9)


def test_guidance_lasts_from_end_to_end_of_its_interval():
    z, lam = tf.ones([4, 1], F64), tf.constant([0.1499, 0.15, 0.3, 0.3001], F64)
    part = gen.guide(GAUSS, unconditional=gen.Gaussian([0.0], 1.0), scale=3.0, interval=(0.15, 0.3))(z, lam)
    led = np.abs(part - GAUSS(z, lam))[:, 0] > 1e-3
    assert led.tolist() == [False, True, True, False]


def test_a_threshold_has_its_bound():
    z = tf.constant([[3.0, -1.5, 0.6, 2.4]], F64)
    got = gen.threshold(lambda z, lam: z, share=1.0, most=1.2)(z, tf.constant(0.0, F64))
    np.testing.assert_allclose(got, [[1.0, -1.0, 0.5, 1.0]])


def test_what_a_code_hides_does_not_move_the_estimate():
    """Of 0.9 and 1.3 both round to 1, the datum: nothing is known against either; 2.2 is one too much."""
    code = gen.Inverted(tf.round, lambda y: y)
    pull = code.pull(tf.constant([[1.0]], F64), tf.constant([[0.9], [1.3], [2.2]], F64), 0.3, 0.2)
    np.testing.assert_allclose(pull, [[0.0], [0.0], [-2.0]])


def test_orders_of_last_steps():
    """Lowered by default with fewer than 15 steps; the last is always of order 1 if it leads to data."""
    for n, last in ((14, [3, 2, 1]), (15, [3, 3, 1])):
        assert S.dpm_solver_pp(GAUSS, gen.karras(n, 0.1, 9.0), 3).stepper.orders[-3:].tolist() == last
    assert S.unipc(GAUSS, gen.karras(20, 0.1, 9.0), 3).stepper.orders[-3:].tolist() == [3, 2, 1]


@pytest.mark.parametrize(("pairs", "slope"), [(0, 1.0), (1, 0.0)])
def test_a_start_leaves_no_gap_in_the_past(pairs, slope):
    """All rates that are weighed are there: of y′ = 1 + ct methods of order 2 make t + ct²/2, begun in pairs with c = 0."""
    law = ds.Equation(drift=lambda t, y: tf.ones_like(y) + slope * t)
    end = ds.solve(law, np.zeros(1), t=np.linspace(0.0, 6.0, 7), stepper=PLMS(pairs=pairs), jit=False).final
    assert float(end[0]) == pytest.approx(6.0 + 18.0 * slope, abs=1e-12)


def test_a_block_goes_through_the_middle():
    lam = S.dpm_sde(GAUSS, gen.karras(5, 0.1, 9.0)).mesh.lam
    np.testing.assert_allclose(lam[1:-1:2], (lam[:-2:2] + lam[2::2])[:4] / 2)
    assert lam.size == 10


def test_blocks_carry_their_own_noise_only():
    """Two stages a → m → b with noise, D of the second for the whole of the block: the variance is a sum of squares."""
    mesh = gen.karras(3, 0.1, 5.0, to_zero=False)
    variance, gain = 0.09 + 25.0, lambda s: 0.09 / (0.09 + s * s)
    for a, b in zip(mesh.sigma, mesh.sigma[1:], strict=False):
        m, q = (a * b) ** 0.5, (b / a) ** 2
        first, second = m * (1 - (m / a) ** 2) ** 0.5, b * (1 - (b / m) ** 2) ** 0.5
        on = q + (1 - q) * gain(m) * (b / a + (1 - b / a) * gain(a))
        variance = on**2 * variance + (first * ((1 - q) * gain(m) + (b / m) ** 2)) ** 2 + second**2
    assert moments(S.dpm_sde(GAUSS, mesh), GAUSS)[1][0] == pytest.approx(variance, rel=1e-9)


def test_noise_added_on_the_way_has_its_scale():
    """From σ = 2 back to 2.6 by noise 1.1 times too large, then by Euler's step to 0.5."""
    sampler = S.euler_churn(GAUSS, gen.Mesh(-np.log([2.0, 0.5])), 0.3, noise_scale=1.1)
    flow = 1 + (0.5 - 2.6) * 2.6 / (0.09 + 2.6**2)
    assert moments(sampler, GAUSS)[1][0] == pytest.approx(flow**2 * (0.09 + 4 + 1.21 * (2.6**2 - 4)), rel=1e-9)


def test_an_edit_begins_with_a_key_of_its_own():
    sampler, image = S.ddim(GAUSS, gen.karras(2, 0.1, 1.0)), np.array([[0.3], [1.0]])
    start = gen.noised(image, sampler.mesh, ds.split(ds.key(5))[0])
    want = gen.sample(sampler, start, jit=False).final
    np.testing.assert_array_equal(gen.edit(sampler, image, key=ds.key(5), jit=False).final, want)


def test_a_last_step_to_data_takes_the_mean():
    """Steps that know C end in N(m, V + s²) at s = 0.05; the mean of x₀ there has the variance V²/(V + s²)."""
    mesh = gen.karras(4, 0.05, 20.0)
    variance = moments(S.ddpm(gen.unsure(GAUSS, 0.09), mesh), GAUSS)[1][0]
    assert variance == pytest.approx(0.09**2 / (0.09 + 0.05**2), rel=1e-9)


def test_mean_square_errors_are_those_of_each_number():
    """An estimate of nothing misses x² of x."""
    x = np.array([[1.0, 2.0], [3.0, -1.0]])
    missed = gen.errors(lambda z, lam: 0 * z, x, gen.uniform_lambda(2, 0.0, 1.0), key=ds.key(1), jit=False)
    np.testing.assert_allclose(missed.error, 15 / 4, rtol=1e-12)


def test_widths_of_noise_alone():
    """Without a schedule the step from σ_t to σ_s adds β = σ_t² − σ_s², and β̃ = βσ_s²/σ_t²."""
    step = between(None, -np.log(3.0), -np.log(0.5))
    np.testing.assert_allclose(np.exp([step.small, step.small + step.wide]), [8.75 * 0.25 / 9, 8.75], rtol=1e-12)


def test_a_learned_variance_is_that_of_the_step():
    """β̃ + (1 − e^{−2h})² C = β^{ν'} β̃^{1 − ν'} with ν' = (ν + 1)/2, here 0.7, of z."""
    chain = gen.Discrete.linear(8, 0.01, 0.3)
    network = lambda x, t: tf.concat([0.3 * x, tf.fill(tf.shape(x), tf.constant(0.4, F64))], -1)  # noqa: E731
    a, (late, early) = chain.alphas_cumprod, chain.table[[5, 3]]
    C = gen.learned(gen.from_epsilon(network, chain)).told(tf.ones([1, 2], F64), late, early)[1]
    share, beta_z = (1 / a[3] - 1) / (1 / a[5] - 1), (1 - a[5] / a[3]) / a[3]
    small = (1 / a[3] - 1) * (1 - share)
    np.testing.assert_allclose(small + (1 - share) ** 2 * C, beta_z**0.7 * small**0.3, rtol=1e-9)


def test_probes_have_the_error_of_their_mean():
    """Of D = Bz each probe gains (n − εᵀBε)(λ₀ − λ₁); no error is below that of the batch."""
    B = np.array([[0.5, 0.3, 0.0], [0.3, 0.6, -0.2], [0.0, -0.2, 0.4]])
    probes, x = gen.Hutchinson(ds.key(4), 5), np.zeros((4, 3))
    found = gen.log_likelihood(lambda z, lam: z @ tf.constant(B), x, gen.uniform_lambda(1, 1.0, 1.5), trace=probes,
                               dt=0.5, stepper=ds.Euler(), jit=False)  # fmt: skip
    e = probes.directions(tf.constant(x)).numpy()
    gain = np.einsum("pbi,ij,pbj->bp", e, B, e) * 0.5
    own = gain.var(1, ddof=1) / 5
    assert own.min() < own.mean() < own.max()
    np.testing.assert_allclose(found.error, np.sqrt(np.maximum(own, own.mean())), rtol=1e-9)
    variance = np.exp(-2.0) + 1.0
    exact = 1.5 * (1 - np.log(2 * np.pi * variance)) - gain.mean(1)
    np.testing.assert_allclose(found.log_density, exact, rtol=1e-9)


def test_signs_of_probes_are_even():
    e = gen.Hutchinson(ds.key(1), 40).directions(tf.zeros([50, 5], F64)).numpy()
    assert set(np.unique(e)) == {-1.0, 1.0} and abs(e.mean()) < 5 / 1e4**0.5  # 5σ
    assert abs(np.mean(e[:, 0] * e[:, 1])) < 5 / 200**0.5  # each sample has its own


def drawn(levels, n, memory=(), schedule=gen.Cosine()):  # noqa: B008
    arrays = {"x0": ds.random.normal(ds.key(1), (50, 2), F64)}
    return Draws(arrays, schedule, levels, training.Matching().time, 4, 0.0, n, ds.key(2)).batch(3, memory)


def test_levels_leave_out_what_they_say():
    t = np.sort(np.asarray(drawn(training.Uniform(0.2), 16)["t"]))
    np.testing.assert_array_equal(np.floor((t - 0.2) / 0.8 * 16), np.arange(16))


def test_steps_are_drawn_alike_until_each_has_its_history():
    squares = np.linspace(1.0, 30.0, 10)
    early = drawn(training.Importance(10, history=4), 50, (squares, np.full(10, 3.0)))
    np.testing.assert_allclose(early["importance"], 1.0)


def test_a_chain_of_a_continuous_schedule_ends_with_it():
    t = np.asarray(drawn(training.Steps(8), 8)["t"])
    np.testing.assert_allclose(np.sort(t), np.arange(1, 9) / 8)


def test_the_bound_counts_by_its_share_and_the_number_of_steps():
    batch, out = drawn(training.Steps(8), 6), ds.random.normal(ds.key(4), (6, 4), F64)
    noise, nu = tf.split(out, 2, -1)
    one, none = (training.Hybrid(share, bins=None) for share in (0.25, 0.0))
    more = one.of(lambda x, t, c: out, batch) - none.of(lambda x, t, c: out, batch)
    np.testing.assert_allclose(more, 0.25 * 8 * one.bound(noise, nu, batch), rtol=1e-9)


def test_the_first_step_has_the_smaller_variance_of_the_second():
    """β̃ of the first is zero, of which there is no logarithm; its β is 1 − ᾱ."""
    chain = gen.Discrete.linear(5, 0.01, 0.3)
    batch, a = drawn(training.Steps(), 5, schedule=chain), chain.alphas_cumprod
    order = np.argsort(batch["t"])
    small, large = (np.exp(batch[name].numpy()[order]) for name in ("log_small", "log_beta"))
    keep = np.r_[1.0, a[:-1]]
    np.testing.assert_allclose(large, 1 - a / keep, rtol=1e-9)
    np.testing.assert_allclose(small[1:], large[1:] * (1 - keep[1:]) / (1 - a[1:]), rtol=1e-9)
    assert small[0] == small[1]


def test_a_score_counts_as_noise_does():
    a, s = tf.constant([0.6]), tf.constant([0.8])
    assert training.Flat().of(training.Score(), a, s).numpy() == pytest.approx(0.64)
    assert training.Flat().of(training.V(), a, s).numpy() == 1.0


def test_a_velocity_is_read_at_any_scale():
    """x₀ = (x − σF)/(α + σ) wherever F = ε − x₀."""
    a, s = tf.constant([0.6], F64), tf.constant([0.8], F64)
    x0, noise = tf.constant([1.5], F64), tf.constant([-0.4], F64)
    F = training.Velocity().target(x0, noise, a, s) + 0.1
    found = (a * x0 + s * noise - s * F) / (a + s)
    np.testing.assert_allclose(found - x0, 0.1 * training.Velocity().gain(a, s), rtol=1e-12)


def test_every_row_is_drawn():
    arrays = {"x0": tf.constant(np.arange(5.0)[:, None])}
    batch = Draws(arrays, gen.Cosine(), training.Uniform(), training.Matching().time, 4, 0.0, 200, ds.key(2)).batch(0)
    assert np.unique(batch["x0"]).tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_grey_is_half_of_white():
    assert np.all(training.sheet.tile(np.zeros((1, 2, 2, 1))) == 0.5)


def test_weights_of_another_shape_are_refused(tmp_path):
    import h5py

    file = tmp_path / "net.h5"
    training.save(file, gen.nets.MLP((2,), width=4, depth=1), gen.Cosine())
    with h5py.File(file, "a") as opened:
        del opened["enter/kernel"]
        opened["enter/kernel"] = np.zeros((3, 4), np.float32)
    with pytest.raises(ValueError, match="path=.*: expected all weights.*enter/kernel"):
        training.load(file)


def test_ranges_a_little_off_are_noticed():
    class Net:
        sample_shape, labels, context = (4, 4, 1), 0, 0

    for low, high in ((-1.0, 1.1), (-1.1, 1.0), (-1.0, 0.4), (-0.4, 1.0)):
        with pytest.warns(UserWarning, match="data run from"):
            intake.arrays(Net, np.linspace(low, high, 32).reshape(2, 4, 4, 1), None, None, (-1.0, 1.0), "float32")


def test_tables_of_equal_ends_are_told_apart(tmp_path):
    """A file of weights goes with its own table, though another has as many steps and the same ends."""
    betas = np.linspace(1e-3, 0.2, 30)
    mine, file = gen.Discrete.of(betas), tmp_path / "net.safetensors"
    swapped = betas.copy()
    swapped[[10, 20]] = betas[[20, 10]]
    others = gen.Discrete.of(swapped), gen.Discrete.of(betas, rounded=False)
    training.save(file, gen.nets.MLP((2,), width=4, depth=1), mine)
    training.load(file, gen.Discrete.of(betas * (1 + 1e-12)))
    for other in others:
        assert repr(other) == repr(mine)
        with pytest.raises(ValueError, match="schedule=Discrete.*because"):
            training.load(file, other)


def test_a_grid_has_room_for_three_deviations():
    grid = ds.Grid(100, 20.0, -10.0)
    density = (np.abs(grid.coordinates()[0]) < 1).astype(float)  # the last cells are at ±0.9, 9.1 from the walls
    with pytest.raises(ValueError, match="grid=one that reaches 9.1"):
        gen.from_density(grid, density, 0.1, 3.1)


def test_the_rest_of_an_image_settles_as_noise_grows():
    """A pair of correlation 0.9, one of them known to be 0.9: mean and variance of the other, by those of small steps."""
    n, known, mask = 2000, np.array([0.9, 0.0]), np.array([1.0, 0.0])
    D = gen.inpaint(gen.Gaussian([0.0, 0.0], [[1.0, 0.9], [0.9, 1.0]]), known, mask)
    lam = np.linspace(-4.0, 5.0, n + 1)
    z = np.tile([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], (n, 1))
    told = D(tf.constant(z), tf.constant(np.repeat(lam[:-1], 3))).numpy().reshape(n, 3, 2)
    ends = {}
    for eta in (0, 1, 4, 16):
        mean, C = known, np.diag([0.0, 1.0]) + np.exp(8.0) * np.eye(2)
        keep, new = np.exp(-(1 + eta) * (lam[1] - lam[0])), -np.expm1(-2 * eta * (lam[1] - lam[0]))
        for (b, *columns), end in zip(told, lam[1:], strict=True):
            F = keep * np.eye(2) + (1 - keep) * (np.array(columns) - b).T
            mean, C = F @ mean + (1 - keep) * b, F @ C @ F.T + new * np.exp(-2 * end) * np.eye(2)
        ends[eta] = [mean[1], C[1, 1]]
    np.testing.assert_allclose([e[0] for e in ends.values()], [0.402, 0.564, 0.717, 0.789], atol=4e-3)
    assert abs(ends[16][1] - 0.19) < abs(ends[4][1] - 0.19) < abs(ends[1][1] - 0.19)


def test_noise_that_is_predicted_leaves_twice_its_last_level():
    """With η = 1 a last step to σ = 0 makes D − σε̂ + σξ of D + σε̂; one of predicted data makes D."""
    mesh = gen.karras(2, 0.1, 5.0)[1:]
    variance = moments(S.dpm_solver(GAUSS, mesh, 1, eta=1.0), GAUSS)[1][0]
    gain = 0.09 / (0.09 + 0.01)
    assert variance == pytest.approx((2 * gain - 1) ** 2 * (0.09 + 0.01) + 0.01, rel=1e-9)
    assert moments(S.dpm_solver_pp(GAUSS, mesh, 1, eta=1.0), GAUSS)[1][0] == pytest.approx(gain**2 * 0.1, rel=1e-9)
