"""The style of all panels: what each has to say of itself, and what the kinds look like."""

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Final, Protocol, Self, TypeVar

from grafana_foundation_sdk.builders import (
    barchart,
    common,
    heatmap,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders.dashboard import FieldColor
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery as AnyQuery
from grafana_foundation_sdk.models import common as look
from grafana_foundation_sdk.models import heatmap as heatmap_look
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    MatcherConfig,
    Threshold,
    ThresholdsConfig,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

DATASOURCE: Final = DataSourceRef(type_val="prometheus", uid="tailq-prometheus")
# Of a source of quality, and of what it is held against; the same on every panel.
COLORS: Final = {
    "promised": "orange",
    "expected": "blue",
    "feedback": "green",
    "probe": "purple",
}
RATIO: Final = "percentunit"
SECONDS: Final = "s"
PLAIN: Final = "none"
# (from this value on, color), the first from minus infinity.
Limits = Sequence[tuple[float | None, str]]
CALM: Final[Limits] = ((None, "green"), (0.1, "yellow"), (1, "red"))


@dataclass(frozen=True, slots=True)
class Query:
    """A PromQL expression. legend: how Grafana names its series, by {{label}}; or its column.

    traced: show exemplars, which name the traces of single requests, where there are any.
    """

    expression: str
    legend: str = ""
    traced: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What a panel says. title: with what is good. text: what it is and what to do about it.

    unit: as Grafana knows it. no_data: what is shown where there is none, and so why.
    """

    title: str
    text: str
    unit: str
    no_data: str
    width: int = 12
    height: int = 8


class _Panel(Protocol):
    def title(self, title: str) -> Self: ...
    def description(self, description: str) -> Self: ...
    def datasource(self, datasource: DataSourceRef) -> Self: ...
    def unit(self, unit: str) -> Self: ...
    def no_value(self, no_value: str) -> Self: ...
    def span(self, w: int) -> Self: ...
    def height(self, h: int) -> Self: ...
    def with_target(self, target: Builder[AnyQuery]) -> Self: ...


class _Tabled(_Panel, Protocol):
    def with_transformation(self, transformation: DataTransformerConfig) -> Self: ...


class _Colored(Protocol):
    def with_override(
        self, matcher: MatcherConfig, properties: list[DynamicConfigValue]
    ) -> Self: ...


AnyPanel = TypeVar("AnyPanel", bound=_Panel)
AnyTabled = TypeVar("AnyTabled", bound=_Tabled)
Colored = TypeVar("Colored", bound=_Colored)


def lines(said: Said, *queries: Query, limits: Limits = ()) -> timeseries.Panel:
    """Curves over time. limits: drawn as lines, too."""
    panel = _saying(timeseries.Panel(), said, queries).line_width(2).fill_opacity(0)
    panel = panel.span_nulls(30_000).legend(_legend()).tooltip(_tooltip())
    if limits:
        style = common.GraphThresholdsStyleConfig().mode(look.GraphThresholdsStyleMode.DASHED)
        panel = panel.thresholds(_Thresholds(limits)).thresholds_style(style)
    return panel


def shares(said: Said, *queries: Query) -> timeseries.Panel:
    """Parts of a whole over time, stacked."""
    stacked = common.StackingConfig().mode(look.StackingMode.NORMAL)
    return lines(said, *queries).stacking(stacked).fill_opacity(60).line_width(0).min(0).max(1)


def number(
    said: Said, query: Query, limits: Limits = (), words: dict[str, str] | None = None
) -> stat.Panel:
    """The value now, large, for each series. words: to say instead of values."""
    panel = _saying(stat.Panel(), said, ()).with_target(_target(query, 0).instant())
    panel = panel.graph_mode(look.BigValueGraphMode.NONE)
    if limits:
        panel = panel.thresholds(_Thresholds(limits))
        panel = panel.color_mode(look.BigValueColorMode.BACKGROUND)
    return panel.mappings([_words(words)]) if words else panel


def states(said: Said, query: Query, words: dict[str, str], limits: Limits) -> statetimeline.Panel:
    """Which of a few states each series was in, over time."""
    panel = _saying(statetimeline.Panel(), said, (query,)).thresholds(_Thresholds(limits))
    # By itself this panel paints the greatest value red, whatever the limits.
    panel = panel.color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
    return panel.mappings([_words(words)]).legend(_legend()).tooltip(_tooltip())


def warmth(said: Said, query: Query) -> heatmap.Panel:
    """A histogram over time; `said.unit` is that of its buckets."""
    panel = _saying(heatmap.Panel(), said, ()).with_target(
        _target(query, 0).format(PromQueryFormat.HEATMAP).range()
    )
    axis = heatmap.YAxisConfig().unit(said.unit)
    color = heatmap.HeatmapColorOptions().mode(heatmap_look.HeatmapColorMode.SCHEME)
    panel = panel.unit("short").calculate(False).y_axis(axis)
    return panel.color(color.scheme("Oranges").steps(64)).show_y_histogram()


def bars(said: Said, by: str, *queries: Query) -> barchart.Panel:
    """The last values side by side, one group of bars for each value of the label `by`."""
    panel = _tabled(_saying(barchart.Panel(), said, ()), queries, {by: by})
    # In the order of their numbers; as words 10 would come before 2, and bars need words.
    panel = panel.with_transformation(_converted(by, "number"))
    ascending = DataTransformerConfig("sortBy", options={"sort": [{"field": by}]})
    panel = panel.with_transformation(ascending).with_transformation(_converted(by, "string"))
    # The SDK writes 0 where no length is given, by which Grafana cuts off all of a label.
    panel = panel.x_field(by).x_tick_label_max_length(20)
    return panel.legend(_legend()).tooltip(_tooltip())


def rows(said: Said, by: dict[str, str], *queries: Query) -> table.Panel:
    """The last values, a column for each query. by: labels that make a row, and their headings."""
    panel = _tabled(_saying(table.Panel(), said, ()), queries, by).show_header(True)
    # What is said where there is no data at all is too long for a cell.
    return panel.override_by_field_type("number", [DynamicConfigValue("noValue", "–")])


def colored(panel: Colored) -> Colored:
    """Series by the words in their names: sources keep their colors, promises are dashed."""
    for name, color in COLORS.items():
        fixed = DynamicConfigValue("color", {"mode": "fixed", "fixedColor": color})
        panel = panel.with_override(_named(name), [fixed])
    return dashed(panel, "promised")


def dashed(panel: Colored, word: str) -> Colored:
    """Series with this word in their names: what others are held against."""
    dashes = DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [8, 6]})
    return panel.with_override(_named(word), [dashes])


def column(panel: table.Panel, name: str, unit: str, limits: Limits = ()) -> table.Panel:
    """How a column of a table is shown; where there are limits they color it."""
    properties = [DynamicConfigValue("unit", unit)]
    if limits:
        cell = {"type": "color-background", "mode": "basic"}
        properties.append(DynamicConfigValue("thresholds", _Thresholds(limits).build()))
        properties.append(DynamicConfigValue("custom.cellOptions", cell))
    return panel.override_by_name(name, properties)


def leading(panel: table.Panel, name: str, title: str, url: str) -> table.Panel:
    """Make the cells of a column links."""
    return panel.override_by_name(
        name, [DynamicConfigValue("links", [{"title": title, "url": url}])]
    )


class _Thresholds(Builder[ThresholdsConfig]):
    def __init__(self, limits: Limits) -> None:
        self._steps = [Threshold(value=value, color=color) for value, color in limits]

    def build(self) -> ThresholdsConfig:
        return ThresholdsConfig(mode=ThresholdsMode.ABSOLUTE, steps=self._steps)


def _saying(panel: AnyPanel, said: Said, queries: Sequence[Query]) -> AnyPanel:
    panel = panel.title(said.title).description(said.text).datasource(DATASOURCE)
    panel = panel.unit(said.unit).no_value(said.no_data).span(said.width).height(said.height)
    for index, query in enumerate(queries):
        panel = panel.with_target(_target(query, index).range())
    return panel


def _target(query: Query, index: int) -> Dataquery:
    target = Dataquery().expr(query.expression).ref_id(ascii_uppercase[index])
    target = target.legend_format(query.legend)
    return target.exemplar(True) if query.traced else target


def _tabled(panel: AnyTabled, queries: Sequence[Query], by: dict[str, str]) -> AnyTabled:
    """Instant values, joined into a row for each value of the labels `by`."""
    names = dict(by) | ({"Value": queries[0].legend} if len(queries) == 1 else {})
    for index, query in enumerate(queries):
        target = _target(query, index).format(PromQueryFormat.TABLE).instant()
        panel = panel.with_target(target)
        names[f"Value #{ascii_uppercase[index]}"] = query.legend
    order = {name: index for index, name in enumerate(names)}
    organized = {"excludeByName": {"Time": True}, "indexByName": order, "renameByName": names}
    panel = panel.with_transformation(DataTransformerConfig("merge", options={}))
    return panel.with_transformation(DataTransformerConfig("organize", options=organized))


def _converted(field: str, kind: str) -> DataTransformerConfig:
    conversion = {"targetField": field, "destinationType": kind}
    return DataTransformerConfig("convertFieldType", options={"conversions": [conversion]})


def _named(word: str) -> MatcherConfig:
    return MatcherConfig(id_val="byRegexp", options=rf"/\b{word}\b/")


def _words(words: dict[str, str]) -> ValueMap:
    return ValueMap({value: ValueMappingResult(text=text) for value, text in words.items()})


def _legend() -> common.VizLegendOptions:
    shown = common.VizLegendOptions().show_legend(True).display_mode(look.LegendDisplayMode.LIST)
    return shown.placement(look.LegendPlacement.BOTTOM).calcs([])


def _tooltip() -> common.VizTooltipOptions:
    every = common.VizTooltipOptions().mode(look.TooltipDisplayMode.MULTI)
    return every.sort(look.SortOrder.NONE)
