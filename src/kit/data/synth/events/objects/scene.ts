/** @file A picture of one of the ten shapes: distorted, textured, before a textured ground, with clutter behind it and partly over it. */
import { type Stream, stream } from '../../../../../core/tensor/random.ts';
import { shapes } from './shapes.ts';
import { type Colour, likeColour, randomColour, type Texture, textureOf } from './texture.ts';

export interface Scene {
  /** Colour, 0..1, at a point of the picture, whose visible part is -1..1; beyond it the scene goes on. `grain` is the width of a pixel there, over which edges are smoothed. */
  colourAt(x: number, y: number, grain: number): Colour;
}

export interface SceneOptions {
  /** Bits of clutter on average. */
  readonly clutter: number;
  /** Least distance between the colours of shape and ground. */
  readonly contrast: number;
}

/** A layer above others: how much of a point it covers, and with what. */
interface Layer {
  cover(x: number, y: number, grain: number): number;
  readonly texture: Texture;
}

/** Scene `index` of a corpus: a pure function of its keys. */
export function makeScene(label: number, keys: readonly (string | number)[], { clutter, contrast }: SceneOptions): Scene {
  const draw = stream(...keys, 'scene');
  const ground = randomColour(draw);
  const colour = unlike(ground, contrast, draw);
  const back = textureOf(ground, 0.12, draw);
  const bits = Math.floor(clutter + draw.uniform() + 0.7 * draw.normal());
  const behind = Array.from({ length: Math.max(0, bits) }, () => bit(draw, ground, 0.3));
  const before = Array.from({ length: Math.max(0, Math.floor(bits / 2)) }, () => bit(draw, ground, 0.3));
  const layers = [...behind, object(label, colour, draw), ...before];
  return {
    colourAt(x, y, grain) {
      let colour = back(x, y);
      for (const layer of layers) {
        const cover = layer.cover(x, y, grain);
        if (cover === 0) continue;
        const over = layer.texture(x, y);
        colour = [
          colour[0] + cover * (over[0] - colour[0]),
          colour[1] + cover * (over[1] - colour[1]),
          colour[2] + cover * (over[2] - colour[2]),
        ];
      }
      return colour;
    },
  };
}

/** Grey value of a colour, as BT.601 weighs it. */
export const brightness = ([red, green, blue]: Colour): number => 0.299 * red + 0.587 * green + 0.114 * blue;

/** A colour at least `contrast` from another, and a third of that in brightness, which is all an event camera sees. */
function unlike(other: Colour, contrast: number, draw: Stream): Colour {
  for (;;) {
    const colour = randomColour(draw);
    const away = Math.hypot(...colour.map((part, i) => part - other[i]!));
    if (away >= contrast && Math.abs(brightness(colour) - brightness(other)) >= contrast / 3) return colour;
  }
}

const smooth = (distance: number, grain: number): number => Math.min(1, Math.max(0, 0.5 - distance / grain));

/** The shape, turned by up to 22 degrees to either side, stretched, sheared and moved. */
function object(label: number, colour: Colour, draw: Stream): Layer {
  const { distance } = shapes[label]!;
  const angle = (Math.PI / 8) * (2 * draw.uniform() - 1);
  const size = 0.5 + 0.22 * draw.uniform();
  const [stretch, shear] = [Math.exp(0.09 * draw.normal()), 0.1 * draw.normal()];
  const [cx, cy] = [0.2 * (2 * draw.uniform() - 1), 0.2 * (2 * draw.uniform() - 1)];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return {
    texture: textureOf(colour, 0.12, draw),
    cover(x, y, grain) {
      const [px, py] = [(x - cx) / size, (y - cy) / size];
      if (px * px + py * py > 6) return 0;
      const u = (cos * px + sin * py) / stretch;
      const v = (cos * py - sin * px) * stretch;
      return smooth(size * distance(u + shear * v, v), grain);
    },
  };
}

/** A bit of clutter: a stroke somewhere. */
function bit(draw: Stream, ground: Colour, spread: number): Layer {
  const [ax, ay, angle, length] = [
    2.4 * draw.uniform() - 1.2,
    2.4 * draw.uniform() - 1.2,
    2 * Math.PI * draw.uniform(),
    draw.uniform(),
  ];
  const [dx, dy, radius] = [length * Math.cos(angle), length * Math.sin(angle), 0.03 + 0.09 * draw.uniform()];
  return {
    texture: textureOf(likeColour(ground, spread, draw), 0.1, draw),
    cover(x, y, grain) {
      const [px, py] = [x - ax, y - ay];
      const along = Math.min(1, Math.max(0, (px * dx + py * dy) / (dx * dx + dy * dy + 1e-9)));
      return smooth(Math.hypot(px - along * dx, py - along * dy) - radius, grain);
    },
  };
}
