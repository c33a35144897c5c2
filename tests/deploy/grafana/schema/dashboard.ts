// What a dashboard of ours may hold, by Grafana's own types (npm: @grafana/schema 11.6.0, Apache-2.0).
//
// dashboard.schema.json is made from this file, beside node_modules:
//   npm install @grafana/schema@11.6.0 ts-json-schema-generator@2.10.0
//   npx ts-json-schema-generator --path dashboard.ts --type Dashboard --no-type-check \
//     --expose none --jsDoc none --no-top-ref --minify --out dashboard.schema.json
import type {
  AnnotationQuery,
  Dashboard as AnyDashboard,
  FieldConfig,
  FieldConfigSource,
  Panel,
  RowPanel,
  VariableModel,
} from './node_modules/@grafana/schema/dist/esm/raw/dashboard/x/dashboard_types.gen';
import type * as barchart from './node_modules/@grafana/schema/dist/esm/raw/composable/barchart/panelcfg/x/BarChartPanelCfg_types.gen';
import type * as heatmap from './node_modules/@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import type * as stat from './node_modules/@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as table from './node_modules/@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as timeline from './node_modules/@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type * as timeseries from './node_modules/@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

type Fields<Custom> = Omit<FieldConfigSource, 'defaults'> & {
  defaults: Omit<FieldConfig, 'custom'> & { custom?: Custom };
};
type Of<Type extends string, Options, Custom = never> = Omit<
  Panel,
  'type' | 'options' | 'fieldConfig'
> & {
  type: Type;
  options?: Options;
  fieldConfig?: Fields<Custom>;
};
type Known =
  | RowPanel
  | Of<'barchart', barchart.Options, barchart.FieldConfig>
  | Of<'heatmap', heatmap.Options, heatmap.FieldConfig>
  | Of<'stat', stat.Options>
  | Of<'state-timeline', timeline.Options, timeline.FieldConfig>
  | Of<'table', table.Options, Partial<table.FieldConfig>>
  | Of<'timeseries', timeseries.Options, timeseries.FieldConfig>;

// Prometheus' queries of annotations, and the fields of an interval, which the Foundation SDK gives
// every variable, are not in Grafana's types.
type Annotations = { list?: (AnnotationQuery & { expr?: string })[] };
type Variable = VariableModel & { auto?: boolean; auto_min?: string; auto_count?: number };

export type Dashboard = Omit<
  AnyDashboard,
  'annotations' | 'panels' | 'snapshot' | 'templating'
> & {
  annotations?: Annotations;
  panels: Known[];
  templating: { list: Variable[] };
};
