/** @file Recurrent nets. The forward node stays the runtime's own; what it does not tell is computed again beside it. */
import type { Family } from '../../rule.ts';
import { gru } from './gru.ts';
import { lstm } from './lstm.ts';
import { rnn } from './rnn.ts';

export const recurrent: Family<'LSTM' | 'GRU' | 'RNN'> = { LSTM: lstm, GRU: gru, RNN: rnn };
