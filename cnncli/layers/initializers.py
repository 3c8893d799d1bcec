"""How parameters start: each initialiser is one small class, chosen in YAML by its name.

`fan_in` and `fan_out` are the numbers of inputs and outputs that one weight connects (kernel area included).
"""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Array = NDArray[Any]
Shape = tuple[int, ...]


class Initializer(BaseModel):
    """One way of drawing an array; its fields are its options in YAML, beside `type`, its name."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    needs_matrix: ClassVar[bool] = False
    """It is defined for two and more axes only: not for a bias."""

    draws: ClassVar[bool] = True
    """It takes random numbers."""

    def sample(self, shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
        """A float64 array of that shape."""
        raise NotImplementedError


def _uniform_of(variance: float, shape: Shape, rng: np.random.Generator) -> Array:
    """Uniform around 0: U(-a, a) has the variance a^2 / 3."""
    bound = math.sqrt(3 * variance)
    return rng.uniform(-bound, bound, shape)


class HeUniform(Initializer):
    """U(-a, a), a = sqrt(6 / fan_in): variance 2 / fan_in, for ReLU (He et al. 2015, section 2.2)."""

    type: Literal["he_uniform"] = "he_uniform"

    def sample(self, shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
        return _uniform_of(2 / fan_in, shape, rng)


class HeNormal(Initializer):
    """N(0, 2 / fan_in), for ReLU (He et al. 2015, section 2.2)."""

    type: Literal["he_normal"] = "he_normal"

    def sample(self, shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
        return rng.normal(0, math.sqrt(2 / fan_in), shape)


class XavierUniform(Initializer):
    """U(-a, a), a = sqrt(6 / (fan_in + fan_out)), for tanh (Glorot and Bengio 2010, equation 16)."""

    type: Literal["xavier_uniform"] = "xavier_uniform"

    def sample(self, shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
        return _uniform_of(2 / (fan_in + fan_out), shape, rng)


class XavierNormal(Initializer):
    """N(0, 2 / (fan_in + fan_out)), for tanh (Glorot and Bengio 2010, equation 12)."""

    type: Literal["xavier_normal"] = "xavier_normal"

    def sample(self, shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
        return rng.normal(0, math.sqrt(2 / (fan_in + fan_out)), shape)


class LecunUniform(Initializer):
    """U(-a, a), a = sqrt(3 / fan_in): variance 1 / fan_in (LeCun et al. 1998, "Efficient BackProp", section 4.6)."""

    type: Literal["lecun_uniform"] = "lecun_uniform"

    def sample(self, shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
        return _uniform_of(1 / fan_in, shape, rng)


class LecunNormal(Initializer):
    """N(0, 1 / fan_in) (LeCun et al. 1998, "Efficient BackProp", section 4.6)."""

    type: Literal["lecun_normal"] = "lecun_normal"

    def sample(self, shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
        return rng.normal(0, math.sqrt(1 / fan_in), shape)


class PytorchDefault(Initializer):
    """U(-a, a), a = 1 / sqrt(fan_in): what torch.nn.Linear and Conv2d draw for weight and bias alike."""

    type: Literal["pytorch_default"] = "pytorch_default"

    def sample(self, shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
        return _uniform_of(1 / (3 * fan_in), shape, rng)


class Orthogonal(Initializer):
    """gain * Q of the QR decomposition of a Gaussian matrix, first axis against the rest (Saxe et al. 2014).

    Rows are orthonormal where there are no more rows than columns, columns otherwise. The signs of R's
    diagonal are moved into Q, which makes the distribution uniform (Mezzadri 2007, section 5).
    """

    type: Literal["orthogonal"] = "orthogonal"
    needs_matrix: ClassVar[bool] = True

    gain: float = Field(1.0, gt=0, description="factor on the orthonormal matrix")

    def sample(self, shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
        rows, columns = shape[0], math.prod(shape[1:])
        q, r = np.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))
        q *= np.copysign(1, np.diagonal(r))
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


class Constant(Initializer):
    """The same number everywhere."""

    type: Literal["constant"] = "constant"
    draws: ClassVar[bool] = False

    value: float = Field(description="the number")

    def sample(self, shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
        return np.full(shape, self.value)


class Zeros(Initializer):
    """0 everywhere."""

    type: Literal["zeros"] = "zeros"
    draws: ClassVar[bool] = False

    def sample(self, shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
        return np.zeros(shape)


class Ones(Initializer):
    """1 everywhere."""

    type: Literal["ones"] = "ones"
    draws: ClassVar[bool] = False

    def sample(self, shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
        return np.ones(shape)


class Normal(Initializer):
    """N(mean, std^2)."""

    type: Literal["normal"] = "normal"

    mean: float = Field(0.0, description="mean")
    std: float = Field(0.01, ge=0, description="standard deviation")

    def sample(self, shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
        return rng.normal(self.mean, self.std, shape)


class Uniform(Initializer):
    """U(a, b)."""

    type: Literal["uniform"] = "uniform"

    a: float = Field(-0.05, description="lower bound")
    b: float = Field(0.05, description="upper bound")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.a > self.b:
            raise ValueError(f"the lower bound a = {self.a:g} is above the upper bound b = {self.b:g}")
        return self

    def sample(self, shape: Shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
        return rng.uniform(self.a, self.b, shape)


_Any = (
    HeUniform
    | HeNormal
    | XavierUniform
    | XavierNormal
    | LecunUniform
    | LecunNormal
    | PytorchDefault
    | Orthogonal
    | Constant
    | Zeros
    | Ones
    | Normal
    | Uniform
)
_Name = Literal[
    "he_uniform",
    "he_normal",
    "xavier_uniform",
    "xavier_normal",
    "lecun_uniform",
    "lecun_normal",
    "pytorch_default",
    "orthogonal",
    "zeros",
    "ones",
    "normal",
    "uniform",
]
"""Those that are complete as a bare word."""

INITIALIZERS: dict[str, type[Initializer]] = {kind.model_fields["type"].default: kind for kind in get_args(_Any)}


def _spelled_out(spec: object) -> object:
    """A bare word stands for the initialiser of that name with its defaults."""
    return {"type": spec} if isinstance(spec, str) else spec


AnyInitializer = Annotated[
    _Any, Field(discriminator="type"), BeforeValidator(_spelled_out, json_schema_input_type=_Name | _Any)
]
"""The pydantic type of an option that takes an initialiser: `he_normal` or `{type: constant, value: 0.1}`."""
