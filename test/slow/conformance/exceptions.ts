/** @file Models that cannot agree, each family with its reason: a model that is listed and does agree is an error too. */
import type { Graph } from '../../../src/core/onnx/graph.ts';

type Families = readonly (readonly [pattern: RegExp, reason: string])[];

const reasonIn =
  (families: Families) =>
  (name: string): string | undefined =>
    families.find(([pattern]) => pattern.test(name))?.[1];

const noCpuKernel = 'use an element type the runtime has no kernel for';

/** What the runtime cannot run at all. */
export const noKernel = reasonIn([
  [/^test_(bitshift_(left|right)|max|min)_u?int16$/, noCpuKernel],
  [/^test_pow_types_float32_uint(32|64)$/, noCpuKernel],
  [
    /^test_strnorm(alizer_export|_model)_monday_(casesensintive_(lower|upper)|empty_output|insensintive_upper_twodim)$/,
    'need a locale of the machine',
  ],
  [/^test_gradient_of_add(_and_mul)?$/, 'use the preview training domain'],
  [/^test_image_decoder_decode_/, 'decode image files, for which the runtime has no kernel'],
  [/^test_roialign_mode_max$/, 'use RoiAlign of opset 22, for which the runtime has no kernel'],
  [/^test_attention_(3d_|bidirectional_|local_)(local_)?window/, 'use Attention of opset 25, whose windows the runtime has not'],
  [/^test_attention_4d_diff_heads_mask4d_padded_kv$/, 'use a mask shorter than the keys, which the runtime refuses'],
  [/^test_(bitcast_bool_to_uint8|clip_default_int8_(max|min)_expanded|top_k_uint64|reduce_max_empty_set_bool)$/, noCpuKernel],
]);

/** What the runtime runs only after `prepare`. */
export const onlyPrepared = reasonIn([
  [/_batchwise$/, 'are recurrent with the batch first (layout 1), which the runtime runs only prepared'],
]);

/** Where the runtime's values are not those ONNX stored. */
export const otherValues = reasonIn([
  [/^test_(cast|castlike)_FLOAT_to_STRING(_expanded)?$/, 'print floats with other digits'],
  [
    /^test_(dft(_axis|_inverse|_irfft|_rfft)?(_opset19)?|stft(_with_window)?)$/,
    'are transforms whose zeros are stored with an absolute tolerance of 1e-7',
  ],
  [/^test_attention_4d_causal_fp16$/, 'round differently in float16'],
  [
    /^test_attention_4d_with_past_and_present_qk_matmul_bias_[34]d_mask_causal$/,
    'write the lowest float where a mask is minus infinity',
  ],
  [/^test_maxunpool_export_with_output_shape$/, 'differ in MaxUnpool with output_shape'],
  [/^test_resize_downsample_scales_(cubic|linear)_align_corners$/, 'differ in Resize with scales and aligned corners'],
]);

/** Random outputs: type and shape are compared. */
export const anyValue = reasonIn([
  [/^test_bernoulli/, 'is random'],
  [/^test_training_dropout(_default)?(_mask)?$/, 'is random'],
]);

/** What `prepare` refuses with a UserError. */
export const refusedByPrepare = reasonIn([
  [/^test_sequence_model8$/, 'are split by sizes that are fed'],
  [/^test_scan_sum$/, 'are the Scan of opset 8'],
  [/^test_resize_downsample_sizes_nearest_tf_half_pixel_for_nn$/, 'use a coordinate rule later opsets have not'],
]);

/** Why a model is not asked for its gradient. */
export const noDerivative = reasonIn([
  [/^test_unique_/, 'ask for the values Unique keeps, which are cut by declaration'],
  [
    /^test_dynamicquantizelinear(_(max|min)_adjusted)?(_expanded)?$/,
    'ask for the scale a DynamicQuantizeLinear finds, which is cut by declaration',
  ],
  [/^test_(rnn_seq_length|simple_rnn_bidirectional)$/, 'saturate: of 1 - tanh^2 float32 keeps nothing but rounding'],
  [/^test_bernoulli/, 'are random'],
  [/^test_training_dropout/, 'are random'],
]);

/** Float inputs that are no numbers to differentiate by: sizes and regions of a resize, scales of integers, the ratio of a dropout, tables of sines, limits of tables (engine: edges where gradients stop). */
const given: Readonly<Record<string, readonly number[]>> = {
  Resize: [1, 2],
  Upsample: [1],
  Dropout: [1],
  DequantizeLinear: [1],
  QuantizeLinear: [1],
  RoiAlign: [1],
  RotaryEmbedding: [1, 2],
  MelWeightMatrix: [3, 4],
  Range: [0, 1, 2],
  OneHot: [0, 1],
};

/** Whether an input of the model is read as a number one differentiates by. */
export const differentiable = (graph: Graph, name: string): boolean =>
  !graph.nodes.some((n) => n.inputs.some((input, i) => input === name && given[n.op]?.includes(i)));
