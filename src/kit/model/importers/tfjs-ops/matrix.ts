import { activation, broadcast } from './elementwise.ts';
import { boolAttr, type Context, type Converter, inputOf, stringsAttr } from './node.ts';
import { asPlain, plain, type Value } from './value.ts';

function matMul(context: Context): Value {
  const { g } = context;
  const side = (index: number, transpose: string): Value => {
    const value = inputOf(context, index);
    if (!boolAttr(context, transpose)) return value;
    return plain(g.op('Transpose', [asPlain(g, value)], { perm: [1, 0] }), value.sizes && [...value.sizes].reverse());
  };
  const [a, b] = [side(0, 'transpose_a'), side(1, 'transpose_b')];
  const sizes = a.sizes?.length === 2 && b.sizes?.length === 2 ? [a.sizes[0]!, b.sizes[1]!] : undefined;
  return plain(g.op('MatMul', [asPlain(g, a), asPlain(g, b)]), sizes);
}

const fusedMatMul: Converter = (context) => {
  let value = matMul(context);
  let next = 2;
  for (const name of stringsAttr(context, 'fused_ops')) {
    value =
      name === 'BiasAdd'
        ? broadcast(context, 'Add', [value, inputOf(context, next++)])
        : activation(context, name, value, name === 'Prelu' ? inputOf(context, next++) : undefined);
  }
  return value;
};

export const matrix: Readonly<Record<string, Converter>> = { MatMul: matMul, _FusedMatMul: fusedMatMul };
