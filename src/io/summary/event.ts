/**
 * TensorBoard's messages, by hand on protobuf's encoding: these few need no schema.
 *
 * @see https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Content, EncodedImage, Entry, ModelNode } from "./entry.js";
import type { Histogram } from "./histogram.js";
import { recordOf } from "./record.js";

/** Writes the fields of one message. */
type Fields = (writer: BinaryWriter) => void;

/** How messages number their fields. */
const event = { wallTime: 1, step: 2, fileVersion: 3, graph: 4, summary: 5 };
const summary = { value: 1 };
const value = { tag: 1, simpleValue: 2, image: 4, histogram: 5, tensor: 8, metadata: 9 };
const image = { height: 1, width: 2, colorspace: 3, encoded: 4 };
const histogram = { min: 1, max: 2, num: 3, sum: 4, sumSquares: 5, bucketLimit: 6, bucket: 7 };
const metadata = { plugin: 1 };
const plugin = { name: 1 };
const tensor = { dtype: 1, shape: 2, stringValue: 8 };
const tensorShape = { dim: 2 };
const dim = { size: 1 };
const graph = { node: 1, versions: 4 };
const versions = { producer: 1 };
const node = { name: 1, op: 2, input: 3, attribute: 5 };
const mapEntry = { key: 1, value: 2 };
const attribute = { list: 1 };
const list = { shape: 7 };

/** The number that stands for strings as a tensor's dtype. */
const dtypeString = 7;

/** Version of graphs that TensorBoard takes without converting anything. */
const graphProducer = 22;

/** The record that an event file begins with. */
export function versionRecord(wallTime: number): Uint8Array {
  return recordOf(
    encode((writer) => {
      double(writer, event.wallTime, wallTime);
      text(writer, event.fileVersion, "brain.Event:2");
    }),
  );
}

/** An entry as a record of an event file. */
export function eventRecord({ tag, step, wallTime, content }: Entry): Uint8Array {
  return recordOf(
    encode((writer) => {
      double(writer, event.wallTime, wallTime);
      writer.tag(event.step, WireType.Varint).int64(step);
      if (content.kind === "graph") {
        writer.tag(event.graph, WireType.LengthDelimited).bytes(encode(graphFields(content.nodes)));
      } else {
        message(writer, event.summary, () => message(writer, summary.value, valueFields(tag, content)));
      }
    }),
  );
}

function valueFields(tag: string, content: Exclude<Content, { kind: "graph" }>): Fields {
  return (writer) => {
    // PyTorch's suffix, by which TensorBoard's page of texts finds them.
    text(writer, value.tag, content.kind === "text" ? `${tag}/text_summary` : tag);
    switch (content.kind) {
      case "scalar":
        // Rounded beforehand: what is too large for a float is infinite, and no error.
        writer.tag(value.simpleValue, WireType.Bit32).float(Math.fround(content.value));
        break;
      case "histogram":
        message(writer, value.histogram, histogramFields(content.histogram));
        break;
      case "image":
        message(writer, value.image, imageFields(content.image));
        break;
      case "text":
        message(writer, value.metadata, () =>
          message(writer, metadata.plugin, () => text(writer, plugin.name, "text")),
        );
        message(writer, value.tensor, textFields(content.text));
        break;
    }
  };
}

function histogramFields(found: Histogram): Fields {
  return (writer) => {
    double(writer, histogram.min, found.min);
    double(writer, histogram.max, found.max);
    double(writer, histogram.num, found.num);
    double(writer, histogram.sum, found.sum);
    double(writer, histogram.sumSquares, found.sumSquares);
    doubles(writer, histogram.bucketLimit, found.bucketLimits);
    doubles(writer, histogram.bucket, found.bucketCounts);
  };
}

function imageFields({ width, height, channels, png }: EncodedImage): Fields {
  return (writer) => {
    writer.tag(image.height, WireType.Varint).int32(height);
    writer.tag(image.width, WireType.Varint).int32(width);
    writer.tag(image.colorspace, WireType.Varint).int32(channels);
    writer.tag(image.encoded, WireType.LengthDelimited).bytes(png);
  };
}

/** A tensor with one string. */
function textFields(content: string): Fields {
  return (writer) => {
    writer.tag(tensor.dtype, WireType.Varint).int32(dtypeString);
    message(writer, tensor.shape, shapeFields([1]));
    text(writer, tensor.stringValue, content);
  };
}

function graphFields(nodes: readonly ModelNode[]): Fields {
  return (writer) => {
    for (const { name, op, inputs, shape } of nodes) {
      message(writer, graph.node, () => {
        text(writer, node.name, name);
        text(writer, node.op, op);
        for (const input of inputs) text(writer, node.input, input);
        message(writer, node.attribute, () => {
          text(writer, mapEntry.key, "_output_shapes");
          message(writer, mapEntry.value, () =>
            message(writer, attribute.list, () => message(writer, list.shape, shapeFields(shape))),
          );
        });
      });
    }
    message(writer, graph.versions, () => writer.tag(versions.producer, WireType.Varint).int32(graphProducer));
  };
}

function shapeFields(shape: readonly number[]): Fields {
  return (writer) => {
    for (const size of shape) {
      message(writer, tensorShape.dim, () => writer.tag(dim.size, WireType.Varint).int64(size));
    }
  };
}

function encode(fields: Fields): Uint8Array {
  const writer = new BinaryWriter();
  fields(writer);
  return writer.finish();
}

function message(writer: BinaryWriter, field: number, fields: Fields): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  fields(writer);
  writer.join();
}

function text(writer: BinaryWriter, field: number, content: string): void {
  writer.tag(field, WireType.LengthDelimited).string(content);
}

function double(writer: BinaryWriter, field: number, number: number): void {
  writer.tag(field, WireType.Bit64).double(number);
}

function doubles(writer: BinaryWriter, field: number, numbers: readonly number[]): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  for (const number of numbers) writer.double(number);
  writer.join();
}
