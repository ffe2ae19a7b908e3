"""Names and phones that can't be taken for real ones: every person's name says 示范, every phone is 1380000xxxx."""

import numpy as np
from numpy.typing import NDArray

LABEL = "（示范）"
_SURNAMES = np.array(list("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕金朴崔关佟"))
_GIVEN = np.array(list("秀英桂兰玉珍凤霞淑华国强志刚建军永福德贵海涛春梅雪松文博佳宁雨晨丽娜洪伟长青立新"))


def people(rng: np.random.Generator, count: int) -> NDArray[np.object_]:
    """Names of made-up people, each labelled."""
    surname = _SURNAMES[(rng.random(count) ** 1.7 * len(_SURNAMES)).astype(int)].astype(object)
    first, second = _GIVEN[rng.integers(0, len(_GIVEN), (2, count))].astype(object)
    second = np.where(rng.random(count) < 0.8, second, "")
    return np.asarray(surname + first + second + LABEL)


def phones(rng: np.random.Generator, count: int) -> list[str]:
    """Phone numbers of a block that isn't given out."""
    return [f"1380000{n:04d}" for n in rng.integers(0, 10_000, count).tolist()]
