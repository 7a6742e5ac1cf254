/** @file Experiment text to a checked experiment. */
import { readDocument } from '../document.ts';
import { type ExperimentFile, experimentSchema } from './schema.ts';

/** Parses and checks an experiment file (YAML, of which JSON is a part). Throws a UserError with line and column. */
export const parseExperiment = (text: string, source: string): ExperimentFile =>
  readDocument(experimentSchema, text, source, {
    isMap: 'an experiment is a map with model, data, threat and attacks',
    start: 'start from `provoke init MODEL DATA`',
    see: 'see `provoke init` for a complete example, and docs/experiment.md',
    page: 'docs/experiment.md',
  }).value;
