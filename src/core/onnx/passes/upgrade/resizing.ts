/** @file Upsample (7, 9) and Resize (10, 11, 13) as the Resize of opset 18. */
import { UserError } from '../../../errors.ts';
import { f32 } from '../../../tensor/tensor.ts';
import { describeNode, floatsOf, type Node, stringOf } from '../../graph.ts';
import { inputsTo } from '../rewrite.ts';
import type { Conversion, Conversions, Convert } from './conversion.ts';

/**
 * Up to opset 10 a sampled position was x / scale, which nearest rounded down: so the specification since opset 11, and every exporter.
 * The runtime rounds up along axes that shrink; where the scales are constants that is kept, so results stay what they were.
 */
function asymmetric({ g, constant }: Conversion, node: Node, scales: string): true {
  const mode = stringOf(node, 'mode', 'nearest');
  const known = constant(scales);
  const resized = (x: string, by: string, nearest: 'floor' | 'ceil', y: string): string =>
    g.op(
      'Resize',
      [x, '', by],
      { mode: mode === 'bilinear' ? 'linear' : mode, coordinate_transformation_mode: 'asymmetric', nearest_mode: nearest },
      y,
    );
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  if (mode !== 'nearest' || known === undefined || known.every((s) => s >= 1)) resized(x, scales, 'floor', y);
  else if (known.every((s) => s <= 1)) resized(x, scales, 'ceil', y);
  else {
    const part = (keep: (scale: number) => boolean): string => g.constant(f32(known.map((s) => (keep(s) ? s : 1))));
    resized(
      resized(
        x,
        part((s) => s < 1),
        'ceil',
        g.fresh('Resize'),
      ),
      part((s) => s > 1),
      'floor',
      y,
    );
  }
  return true;
}

const upsample: Convert = (node, c) => {
  const attribute = floatsOf(node, 'scales');
  const scales = attribute === undefined ? node.inputs[1] : c.g.constant(f32(attribute));
  if (scales === undefined) {
    throw new UserError(
      `${describeNode(node)} states no scales`,
      'the file is damaged: export the model again with opset 11 or newer',
    );
  }
  return asymmetric(c, node, scales);
};

/** Opsets 11 and 12 could leave scales out only by an empty list, and knew one coordinate mode more. */
const resize: Convert = (node, c) => {
  if (c.from < 11) return asymmetric(c, node, node.inputs[1]!);
  if (c.from >= 13) return false;
  const [x, roi, scales, sizes] = inputsTo(node, 4) as [string, string, string, string];
  const inputs = sizes === '' ? [x, roi, scales] : [x, roi, '', sizes];
  const attributes = new Map(node.attributes);
  if (stringOf(node, 'coordinate_transformation_mode') === 'tf_half_pixel_for_nn') {
    if (stringOf(node, 'mode', 'nearest') !== 'nearest' || stringOf(node, 'nearest_mode', 'round_prefer_floor') !== 'floor') {
      throw new UserError(
        `${describeNode(node)} uses tf_half_pixel_for_nn with another rounding than floor, which opset 13 and newer cannot express`,
        'export the model with opset 13 or newer',
      );
    }
    // floor((x + 0.5) / scale) is half_pixel's ((x + 0.5) / scale - 0.5) rounded half up
    attributes.set('coordinate_transformation_mode', { type: 'string', value: 'half_pixel' });
    attributes.set('nearest_mode', { type: 'string', value: 'round_prefer_ceil' });
  }
  c.g.add({ ...node, inputs, attributes });
  return true;
};

export const resizing: Conversions = { Upsample: upsample, Resize: resize };
