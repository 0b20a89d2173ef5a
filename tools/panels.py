"""What a panel is, and the queries that most of them ask."""

from collections.abc import Sequence

Panel = tuple[str, str, Sequence[tuple[str, str]]]
"""Title, unit of Grafana, and queries with the form of their legends."""


def quantile(share: float, metric: str, by: str, labels: str = "") -> str:
    """Returns a quantile of a histogram, by labels."""
    return (
        f"histogram_quantile({share}, "
        f"sum by ({by}, le) (rate({metric}_bucket{{{labels}}}[$__rate_interval])))"
    )


def rate(metric: str, by: str) -> str:
    """Returns how many a second, by labels."""
    return f"sum by ({by}) (rate({metric}[$__rate_interval]))"
