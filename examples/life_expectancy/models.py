"""The work of the example: fit each country, check the whole, draw the chart. Plain functions that know no Jobmon."""

import csv
import math
import random
from pathlib import Path
from typing import TypedDict

PROJECTED = (2012, 2017, 2022, 2027)
COLUMNS = (
    "country",
    "continent",
    "observed_2007",
    "gain_per_decade",
    "r_squared",
    "projected_2027",
    "low_2027",
    "high_2027",
)
CONTINENTS = {"Africa": "C0", "Americas": "C1", "Asia": "C2", "Europe": "C3", "Oceania": "C4"}


class Fit(TypedDict):
    """One country's straight line through its life expectancy, and where it leads."""

    country: str
    continent: str
    years: list[int]
    observed: list[float]
    gain_per_decade: float
    r_squared: float
    projected: dict[str, float]
    low_2027: float
    high_2027: float


def read_table(path: str) -> dict[str, list[dict[str, str]]]:
    """The rows of the table by country, in the order of the file."""
    countries: dict[str, list[dict[str, str]]] = {}
    with Path(path).open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            countries.setdefault(row["country"], []).append(row)
    return countries


def least_squares(xs: list[int], ys: list[float]) -> tuple[float, float]:
    """Slope and intercept of the straight line with the least squared error."""
    mean_x, mean_y = math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)
    slope = math.fsum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / math.fsum(
        (x - mean_x) ** 2 for x in xs
    )
    return slope, mean_y - slope * mean_x


def fit(country: str, data: str, replicates: int) -> Fit:
    """Fit one country and project it, with a 90 % interval from a bootstrap of the residuals.

    The country's name seeds the bootstrap, so the result is the same on every run and every version of Python.
    """
    rows = read_table(data)[country]
    years = [int(row["year"]) for row in rows]
    observed = [round(float(row["life_expectancy"]), 3) for row in rows]
    slope, intercept = least_squares(years, observed)
    line = [intercept + slope * year for year in years]
    residuals = [y - fitted for y, fitted in zip(observed, line, strict=True)]
    mean = math.fsum(observed) / len(observed)
    unexplained = math.fsum(r * r for r in residuals) / math.fsum((y - mean) ** 2 for y in observed)

    chance = random.Random(country)
    last = PROJECTED[-1]
    ends = []
    for _ in range(replicates):
        again = [fitted + residuals[int(chance.random() * len(residuals))] for fitted in line]
        new_slope, new_intercept = least_squares(years, again)
        ends.append(new_intercept + new_slope * last)
    ends.sort()
    return {
        "country": country,
        "continent": rows[0]["continent"],
        "years": years,
        "observed": observed,
        "gain_per_decade": round(10 * slope, 3),
        "r_squared": round(1 - unexplained, 4),
        "projected": {str(year): round(intercept + slope * year, 2) for year in PROJECTED},
        "low_2027": round(ends[int(0.05 * replicates)], 2),
        "high_2027": round(ends[int(0.95 * replicates)], 2),
    }


def check(fits: list[Fit], table: str) -> dict[str, int]:
    """Refuse what cannot be, and write the table of all countries; returns how many there are by continent."""
    impossible = [
        f["country"] for f in fits if not 20 < f["projected"]["2027"] < 110 or not f["low_2027"] <= f["high_2027"]
    ]
    if impossible:
        raise ValueError(f"impossible life expectancies for {', '.join(impossible)}")
    rows = [
        (
            f["country"], f["continent"], f["observed"][-1], f["gain_per_decade"], f["r_squared"],
            f["projected"]["2027"], f["low_2027"], f["high_2027"],
        )
        for f in sorted(fits, key=lambda f: f["country"])
    ]  # fmt: skip
    unfinished = Path(table + ".part")
    with unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    unfinished.replace(table)  # whole or not at all, whatever is killed meanwhile
    return {continent: sum(f["continent"] == continent for f in fits) for continent in CONTINENTS}


def chart(fits: list[Fit], png: str) -> str:
    """Draw every country's past and projection, a panel per continent; returns the path."""
    import matplotlib as mpl

    mpl.use("Agg")  # a task has no display
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(CONTINENTS), figsize=(16, 5), sharey=True)
    for axis, (continent, colour) in zip(axes, CONTINENTS.items(), strict=True):
        members = [f for f in fits if f["continent"] == continent]
        for f in members:
            axis.plot(f["years"], f["observed"], color=colour, linewidth=0.8, alpha=0.6)
            axis.plot(
                list(PROJECTED), list(f["projected"].values()), color=colour, linewidth=0.8, alpha=0.6, linestyle=":"
            )
        axis.set_title(f"{continent} ({len(members)})")
        axis.set_xlabel("year")
    axes[0].set_ylabel("life expectancy at birth, years")
    figure.suptitle("Life expectancy 1952 to 2007 and its straight-line projection (dotted). Data: Gapminder, CC BY")
    figure.tight_layout()
    unfinished = Path(png + ".part")
    figure.savefig(unfinished, format="png", dpi=110)
    unfinished.replace(png)
    return png
