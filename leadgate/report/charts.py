"""The pictures: altair builds them, vl-convert makes them SVG, without a browser or the network.

Each is drawn twice, for a wide page and for a phone: text that is scaled with a picture cannot be read.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup

from leadgate.config.section import in_largest_unit
from leadgate.ledger.report_counts import Movement
from leadgate.report.findings import DONE, FOR_A_PERSON, IN_DOUBT, UNDER_WAY, Bar
from leadgate.waits.tally import Point
from leadgate.waits.words import kept_share

_BLUE, _VERMILION, _PURPLE, _GREY = "#0072B2", "#D55E00", "#9E4B7F", "#6B6B6B"
"""Okabe and Ito's colours, which people tell apart however they see colours; purple is darkened for paper."""
_PALE = "#959595"
"""Told from blue on paper without colours too."""
_COLOURS: Mapping[str, str] = {
    UNDER_WAY: _GREY,
    FOR_A_PERSON: _VERMILION,
    DONE: _BLUE,
    IN_DOUBT: _PURPLE,
    "registered": _GREY,
    "arrived": _GREY,
    "processed": _BLUE,
    "rejected": _BLUE,
    "discarded": _BLUE,
    "acted on": _BLUE,
    "process": _BLUE,
    "reject": _BLUE,
    "hold": _GREY,
    "review": _VERMILION,
    "taken": _BLUE,
    "refused": _VERMILION,
    "no clear answer": _GREY,
    "gone": _BLUE,
    "awaited": _GREY,
    "others": _GREY,
}
"""On the whole page blue is what came to its end, grey what is under way, orange what a person should look at."""
_INK, _FONT = "#1a1a1a", "Helvetica, Arial, Liberation Sans, sans-serif"
_WIDE, _NARROW = 700, 340
"""In pixels: a page on paper or a screen, and a phone's."""
_COLUMN = 230
_drawn = count()


@dataclass(frozen=True, slots=True)
class Drawn:
    """One picture as SVG, for a wide page and for a phone."""

    wide: Markup
    narrow: Markup


def draw_bars(bars: Sequence[Bar]) -> Drawn:
    """Draw a row a bar, coloured by kind, its number at its end."""
    return Drawn(_as_svg(_wide_bars(bars)), _as_svg(_narrow_bars(bars)))


def draw_movement(movement: Movement, now: datetime) -> Drawn:
    """Draw a band for each thing that happens to leads, all on one axis of time."""
    return Drawn(*(_as_svg(_bands(movement, now, width)) for width in (_WIDE, _NARROW)))


def draw_arrivals(curves: Mapping[str, Sequence[Point]], deadline: timedelta) -> Drawn:
    """Draw a band for each curve: which part of the leads had it, by how long they had waited."""
    return Drawn(*(_as_svg(_curves(curves, deadline, width)) for width in (_WIDE, _NARROW)))


def _wide_bars(bars: Sequence[Bar]) -> Any:  # noqa: ANN401 - altair names its charts loosely
    """Labels stand in a column of their own, from its left edge on: a reader's font may be wider than ours."""
    axis = alt.Axis(
        labelAlign="left",
        labelPadding=_COLUMN,
        labelLimit=_COLUMN - 10,
        minExtent=_COLUMN,
        maxExtent=_COLUMN,
        ticks=False,
    )
    return _layered(bars, axis, width=_WIDE, row=25, past_end=1.2)


def _narrow_bars(bars: Sequence[Bar]) -> Any:  # noqa: ANN401 - altair names its charts loosely
    """Labels stand above their bars, which have the whole width."""
    labels = (
        alt.Chart()
        .mark_text(align="left", baseline="bottom", dy=-9, fontSize=13, color=_INK, limit=_NARROW - 20)
        .encode(x=alt.value(0), y=alt.Y("label:N", sort=None, axis=None), text="label:N")
    )
    return _layered(bars, None, width=_NARROW, row=44, past_end=1.35, extra=labels)


def _layered(  # noqa: PLR0913
    bars: Sequence[Bar],
    axis: alt.Axis | None,
    *,
    width: int,
    row: int,
    past_end: float,
    extra: alt.Chart | None = None,
) -> Any:  # noqa: ANN401 - altair names its charts loosely
    rows = [{"label": bar.label, "value": bar.value, "colour": _COLOURS[bar.kind]} for bar in bars]
    longest = max(bar.value for bar in bars) or 1
    base = alt.Chart().encode(
        x=alt.X("value:Q", axis=None, scale=alt.Scale(domain=[0, longest * past_end])),
        y=alt.Y("label:N", sort=None, title=None, axis=axis),
    )
    drawn = base.mark_bar(height=18).encode(color=alt.Color("colour:N", scale=None))
    numbers = base.mark_text(align="left", dx=5, fontSize=13, color=_INK).encode(text=alt.Text("value:Q", format=","))
    return alt.layer(drawn, numbers, *([extra] if extra else []), data=alt.InlineData(values=rows)).properties(
        width=width, height=row * len(bars), autosize=alt.AutoSizeParams(type="fit-x", contains="padding")
    )


def _bands(movement: Movement, now: datetime, width: int) -> Any:  # noqa: ANN401 - as _layered
    rows = [
        {
            "from": moved.at.isoformat(),
            "to": (moved.at + movement.step).isoformat(),
            "leads": moved.leads,
            "what": moved.what,
            "colour": _COLOURS.get(moved.what, _GREY),
        }
        for moved in movement.moved
    ]
    order = [what for what in _BANDS if any(row["what"] == what for row in rows)]
    ends = [min(movement.began_at, *(moved.at for moved in movement.moved)), now]
    # A day is told where one begins; otherwise the time, by 24 hours.
    clock = "utcFormat(datum.value, utchours(datum.value) + utcminutes(datum.value) ? '%H:%M' : '%b %d')"
    ticks = 8 if width == _WIDE else 4
    x_axis = alt.Axis(title=None, labelOverlap=True, tickCount=ticks, grid=False, labelFlush=True, labelExpr=clock)
    whole = "datum.value % 1 ? '' : format(datum.value, '~s')"  # there is no half a lead
    y_axis = alt.Axis(tickCount=2, tickMinStep=1, labelExpr=whole, minExtent=36, maxExtent=36)
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_rect()
        .encode(
            color=alt.Color("colour:N", scale=None),
            x=alt.X(
                "from:T", axis=x_axis, scale=alt.Scale(type="utc", domain=[end.isoformat() for end in ends], clamp=True)
            ),
            x2="to:T",
            y=alt.Y("leads:Q", title=None, axis=y_axis, scale=alt.Scale(zero=True)),
            y2=alt.datum(0),
        )
        .properties(width=width - 60, height=44)
        .facet(
            row=alt.Row("what:N", sort=order, title=None, header=_BAND_HEADER),
            spacing=8,
        )
        .resolve_scale(y="independent")
    )


def _curves(curves: Mapping[str, Sequence[Point]], deadline: timedelta, width: int) -> Any:  # noqa: ANN401 - as _layered
    shown = list(curves.items())[:_MOST_CURVES]
    names = {what: f"{what}: {kept_share(next(p for p in points if p.span == deadline))}" for what, points in shown}
    rows = [
        {
            "what": names[what],
            "within": in_largest_unit(point.span),
            "share": point.had / point.leads if point.leads else 0,
            "colour": _BLUE if point.span <= deadline else _PALE,
        }
        for what, points in shown
        for point in points
    ]
    x_axis = alt.Axis(title=None, labelAngle=0, labelOverlap=True, ticks=False)
    y_axis = alt.Axis(values=[0, 0.5, 1], format="%", title=None, minExtent=46, maxExtent=46)
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar()
        .encode(
            x=alt.X("within:N", sort=None, axis=x_axis, scale=alt.Scale(paddingInner=0.12)),
            y=alt.Y("share:Q", axis=y_axis, scale=alt.Scale(domain=[0, 1])),
            color=alt.Color("colour:N", scale=None),
        )
        .properties(width=width - 70, height=56)
        .facet(row=alt.Row("what:N", sort=list(names.values()), title=None, header=_BAND_HEADER), spacing=20)
    )


_BAND_HEADER = alt.Header(
    labelOrient="top", labelAnchor="start", labelAngle=0, labelFontWeight="bold", labelPadding=3, labelLimit=_NARROW
)
_MOST_CURVES = 8
_BANDS = ("registered", "arrived", "processed", "rejected", "gone", "discarded")


def _as_svg(chart: Any) -> Markup:  # noqa: ANN401 - any of altair's charts
    styled = chart.configure(
        font=_FONT, background="white", padding={"left": 2, "right": 12, "top": 2, "bottom": 2}
    ).configure_view(stroke=None)
    styled = styled.configure_axis(labelFontSize=13, labelColor=_INK, gridColor="#d9d9d9", domainColor="#8a8a8a")
    styled = styled.configure_header(labelFontSize=13, labelColor=_INK)
    svg = vl_convert.vegalite_to_svg(styled.to_json(validate=False))
    # Several pictures on one page: each keeps the ids of its clip paths to itself.
    own = f"p{next(_drawn)}-"
    svg = re.sub(r'(\bid="|url\(#)', rf"\g<1>{own}", svg)
    return Markup(svg)  # noqa: S704 - made by vl-convert, which escapes every label
