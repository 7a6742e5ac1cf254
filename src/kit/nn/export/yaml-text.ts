/** @file Plain data as YAML that people read: lists of short things on one line, long texts unbroken. */
import { Document, isScalar, visit } from 'yaml';

/** YAML of plain data; reading it gives the data back. */
export function yamlText(data: unknown): string {
  const document = new Document(data, { aliasDuplicateObjects: false });
  visit(document, {
    Seq(_, list) {
      if (list.items.every((item) => isScalar(item))) list.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}
