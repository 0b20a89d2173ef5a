"""What attributes are called in English and Chinese."""

import re
from typing import Final

LABELS: Final[dict[str, tuple[str, str]]] = {
    "colour": ("colour", "颜色"),
    "material": ("material", "材质"),
    "pattern": ("pattern", "图案"),
    "style": ("style", "款式"),
    "model": ("model", "型号"),
    "size": ("size", "尺寸"),
    "capacity": ("capacity", "容量"),
    "volume": ("volume", "容积"),
    "storage": ("storage", "存储容量"),
    "memory": ("memory", "内存"),
    "display_diagonal": ("screen", "屏幕尺寸"),
    "power": ("power", "功率"),
    "battery_life": ("battery life", "续航"),
    "battery_capacity": ("battery capacity", "电池容量"),
    "net_weight": ("net weight", "净重"),
    "weight": ("weight", "重量"),
    "length": ("length", "长度"),
    "width": ("width", "宽度"),
    "height": ("height", "高度"),
    "depth": ("depth", "深度"),
    "thickness": ("thickness", "厚度"),
    "pieces": ("pieces", "件数"),
    "colour_temperature": ("colour temperature", "色温"),
}
"""Attributes with a name of their own in English and Chinese, the most telling first."""
_KEY: Final = re.compile(r"[a-z]+(?:_[a-z]+){0,2}")
_SAID_ELSEWHERE: Final = frozenset({"product_type", "brand", "gender", "sku", "url", "id"})


def label(key: str, language: str) -> str:
    """Returns what an attribute is called; empty where the language has no word for it."""
    if key in LABELS:
        return LABELS[key][language == "zh"]
    known = language == "en" and key not in _SAID_ELSEWHERE and _KEY.fullmatch(key)
    return key.replace("_", " ") if known else ""
