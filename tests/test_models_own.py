"""A user's own laws: from functions and from text, equal to the library's, and refused in four parts where they err."""

import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim import march

M = ds.models
GRID = ds.Grid(16, 5.0)
Y0 = (np.linspace(0.5, 1.0, 16), np.linspace(1.0, 0.5, 16))
TEXT = "u' = Du*lap(u) + a - u + u**2*v\nv' = Dv*lap(v) + b - u**2*v  # Schnakenberg"


def kinetics(u, v, a, b):
    return a - u + u**2 * v, b - u**2 * v


def run(model, y0=Y0, T=1.0):
    return ds.solve(model.on(GRID, ds.Periodic()), y0, (0.0, T), dt=0.05)


def test_functions_and_text_are_the_same_law_and_their_numbers_are_data():
    """As the library's class to round-off, for three sets of numbers in one compiled program each."""
    compiled = []
    for a, Du in ((0.1, 1.0), (0.2, 1.0), (0.2, 2.0)):
        exact = run(M.Schnakenberg(a, 0.9, Du, 20.0)).final
        finals = [run(M.parse(TEXT, Du=Du, Dv=20.0, a=a, b=0.9)).final]
        finals += [run(M.from_rates(kinetics, (Du, 20.0), parameters={"a": a, "b": 0.9})).final]
        compiled.append(march.program.cache_info().misses)
        for final in finals:
            np.testing.assert_allclose(final, exact, rtol=1e-13)
    assert compiled[0] == compiled[1] == compiled[2]


def test_own_models_have_steady_states_and_symbols():
    for model in (M.parse(TEXT, Du=1.0, Dv=20.0, a=0.1, b=0.9),
                  M.from_rates(kinetics, (1.0, 20.0), parameters={"a": 0.1, "b": 0.9})):
        assert model.species == ("u", "v")
        np.testing.assert_allclose(model.steady_states(), [(1.0, 0.9)], rtol=1e-9)
        np.testing.assert_allclose(model.symbol(0.3, (1.0, 0.9)), M.Schnakenberg().symbol(0.3, (1.0, 0.9)), rtol=1e-14)
    sets = M.parse("u' = lap(u) + r*u*(1 - u)", r=np.array([1.0, 2.0]))
    np.testing.assert_allclose(sets.jacobian(0.0)[..., 0, 0], [1.0, 2.0])


@pytest.mark.parametrize(("text", "value"), [
    ("u*(1 - u)", lambda u: u * (1 - u)), ("-u**3 + 2e-1", lambda u: 0.2 - u**3), ("u**0.5/2", lambda u: u**0.5 / 2),
    ("2 - 3 - u", lambda u: -1 - u), ("2**-u", lambda u: 2**-u), ("-u**2", lambda u: -(u**2)), ("0.3", lambda u: 0.3),
    ("exp(-u)*sin(pi*u) + max(u, 0.5)", lambda u: np.exp(-u) * np.sin(np.pi * u) + np.maximum(u, 0.5)),
    ("k*tanh(u/k) + cos(t)", lambda u: 0.7 * np.tanh(u / 0.7) + np.cos(0.4)), ("u**4/(k**4 + u**4)",
                                                                              lambda u: u**4 / (0.7**4 + u**4)),
])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_expressions_have_their_values(text, value, dtype):
    u = np.linspace(0.2, 1.5, 7).astype(dtype)
    model = M.parse(f"du/dt = {text}", **({"k": 0.7} if "k" in text else {}))
    rates = model.rates(tf.constant(0.4, dtype), tf.constant(u))
    assert rates.dtype == dtype and rates.shape == (7,)
    np.testing.assert_allclose(rates, value(u) + 0 * u, rtol=5e-7 if dtype == np.float32 else 1e-14)


@pytest.mark.parametrize(("text", "D"), [
    ("u_t = 2*lap(u) - 0.5*lap(v)\nv_t = (lap(v) + lap(u))/4 + u*v", [[2.0, -0.5], [0.25, 0.25]]),
    ("u' = lap(2*u - v/2) + 1\nv' = -(-lap(u)/4 - lap(v)*0.25) + u*v", [[2.0, -0.5], [0.25, 0.25]]),
    ("u' = c*(lap(u) - d*lap(v)) - u\nv' = d*lap(v + u)", [[2.0, -0.5], [0.25, 0.25]]),
])
def test_laplacians_are_collected_wherever_they_stand(text, D):
    model = M.parse(text, **({"c": 2.0, "d": 0.25} if "c*" in text else {}))
    assert isinstance(model, M.CrossDiffusion)
    np.testing.assert_allclose(model.D, D)
    assert M.parse("u' = lap(u) + u*(1 - u) - 3*lap(u)/4").diffusivities == (0.25,)


def test_maps_of_parameters_and_species_that_stay():
    """Each cell follows its own logistic law; the immobile species has no operator."""
    r = np.linspace(0.5, 2.0, 16)
    model = M.parse("u' = r*u*(1 - u)", "w' = lap(w) - w", r=r)
    law = model.on(GRID, ds.Neumann())
    assert law.linear[0] is None
    final = ds.solve(law, (np.full(16, 0.1), np.ones(16)), (0.0, 1.0), dt=0.01, stepper=ds.RK4()).final
    np.testing.assert_allclose(final[0], 1 / (1 + 9 * np.exp(-r)), rtol=1e-8)
    np.testing.assert_allclose(final[1], np.exp(-1.0), rtol=1e-8)


def test_functions_may_know_the_time():
    model = M.from_rates(lambda u, t: tf.cos(t), 0.1)
    assert model.species == ("u",)
    np.testing.assert_allclose(run(model, np.zeros(16)).final, np.sin(1.0), rtol=1e-3)


@pytest.mark.parametrize(("text", "given", "names"), [
    ("u' = lap(u) + w", {}, "unknown symbol w"),
    ("u' = lap(u) + Fed*u", {"Feed": 1.0}, "Did you mean Feed"),
    ("u' = foo(u)", {}, "unknown function foo"),
    ("u' = epx(u)", {}, "Did you mean exp"),
    ("u' = lap(u) + lap(v)", {}, "an equation for v"),
    ("u' = lap(u**2)", {}, "lap of a species"),
    ("u' = lap(u*t)", {}, "lap of a species"),
    ("u' = lap(lap(u))", {}, "lap of a species"),
    ("u' = u*lap(u)", {}, "a coefficient without u"),
    ("u' = exp(lap(u))", {}, "times a constant"),
    ("u' = -lap(u)", {}, "sign before lap"),
    ("u' = D*lap(u)", {"D": -1.0}, "sign before lap"),
    ("u' = lap(u) - 2*lap(v)\nv' = lap(v) - 2*lap(u)", {}, "shorter and shorter waves"),
    ("u' = lap(u)", {"a": 1.0}, "parameter without effect"),
    ("u' = a*u", {"a": float("nan")}, "a=nan"),
    ("u' = u", {"u": 1.0}, "not species"),
    ("u' = u\nu' = 2*u", {}, "has one already"),
    ("t' = 1", {}, "meaning of its own"),
    ("u = u", {}, "left side"),
    ("u' = u +", {}, "read as arithmetic"),
    ("u' = u^2", {}, "instead of"),
    ("u' = exp(u, u)", {}, "1 argument of exp"),
    ("u' = u/0", {}, "not zero"),
    ("u' = 9**9**9**9*u", {}, "computed once"),
    ("u' = 1e999*u", {}, "numbers, names"),
    ("u' = " + "-" * 1900 + "u", {}, "too deeply nested"),
    ("u' = " + "u + " * 900 + "u", {}, "at most"),
    ("", {}, "at least one"),
])
def test_text_that_errs_is_refused(text, given, names):
    with pytest.raises(ValueError, match=names) as error:
        M.parse(text, **given)
    assert all(part in str(error.value) for part in ("expected", "because", ". ")) and len(str(error.value)) < 400


@pytest.mark.parametrize("text", [
    "__import__('os').getcwd()", "u.__class__", "[u for u in (1, 2)]", "(lambda: u)()", "u if u > 0 else 1", "open('x')",
    "exp(*u)", "exp(x=u)", "f'{u}'", "'u'", "True", "1j*u", "u @ u", "u // 2", "u[0]", "(u := 2)", "eval(u)", "...",
])
def test_nothing_is_executed(text):
    with pytest.raises(ValueError, match="expected .* because"):
        M.parse(f"u' = {text}")


@pytest.mark.parametrize(("call", "names", "kind"), [
    (lambda: M.from_rates(3.0, (1.0,)), "a function of the species", TypeError),
    (lambda: M.from_rates(lambda u, v: (u, v), (1.0,)), "one for each of u, v", ValueError),
    (lambda: M.from_rates(lambda u, v: u, (1.0, 1.0)), "2, one for each species", ValueError),
    (lambda: M.from_rates(lambda u, v: (u, v), (1.0, -1.0)), "D of v", ValueError),
    (lambda: M.from_rates(lambda u, a: a * u, 1.0, species="u", parameters={"b": 1.0}), "it is called with", TypeError),
    (lambda: M.from_rates(lambda u: np.sin(u) * "x", 1.0), "it is called with", TypeError),
    (lambda: M.from_rates(lambda u: np.sin(u), 1.0), "tf.… in place of NumPy", TypeError),
    (lambda: M.from_rates(lambda u: u if u > 0 else -u, 1.0), "tf.where in place of if", TypeError),
    (lambda: M.from_rates(lambda u, v, a: (a * u, v), (1.0, 1.0)), r"belongs into parameters=\{…\}", ValueError),
    (lambda: M.parse(3), "read as text", TypeError),
    (lambda: M.parse("u' = k*u", k="x"), "k='x'", TypeError),
])
def test_functions_that_err_are_refused(call, names, kind):
    with pytest.raises(kind, match=names) as error:
        call()
    assert all(part in str(error.value) for part in ("expected", "because", ". "))
