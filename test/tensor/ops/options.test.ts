/** No op takes an option and ignores it. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";
import "../../../src/devices.js";
import "../../../src/tensor/methods.js";
import { zeros } from "../../../src/tensor/create.js";
import * as ops from "../../../src/tensor/ops/index.js";

const folder = fileURLToPath(new URL("../../../src/tensor/ops/", import.meta.url));

/** The options of each op that takes some, as their type has them, and as the op's own check does. */
function optionsOfOps(): Map<string, { declared: string[]; checked: string[] }> {
  const files = readdirSync(folder).map((file) => `${folder}${file}`);
  const program = ts.createProgram(files, { strict: true, module: ts.ModuleKind.NodeNext, noLib: true });
  const checker = program.getTypeChecker();
  const found = new Map<string, { declared: string[]; checked: string[] }>();
  for (const source of files.map((file) => program.getSourceFile(file))) {
    for (const statement of source?.statements ?? []) {
      if (!ts.isFunctionDeclaration(statement) || statement.body === undefined) continue;
      const [name, type] = [statement.name?.text ?? "", statement.parameters.at(-1)?.type];
      if (!(name in ops) || type === undefined || !/Options$/.test(type.getText(source))) continue;
      const declared = checker.getTypeAtLocation(type).getProperties();
      const check = /checkOptions\("(\w+)", options, \[([^\]]*)\]\)/.exec(statement.body.getText(source));
      const checked = [...(check?.[2] ?? "").matchAll(/"(\w+)"/g)].map(([, option = ""]) => option);
      found.set(name, {
        declared: declared.map((option) => option.name).sort(),
        checked: check?.[1] === name ? checked.sort() : [],
      });
    }
  }
  return found;
}

test("every op that takes options refuses others than those of its type", () => {
  const found = optionsOfOps();
  expect(found.size).toBeGreaterThan(60);
  for (const [name, { declared, checked }] of found) expect(checked, name).toEqual(declared);
});

test("an option that is not there is named, with those that are", () => {
  const x = zeros([1, 3, 4, 4]);
  const strange = (options: object): never => options as never;
  expect(() => x.conv2d(x, null, strange({ paddingMode: "reflect" }))).toThrow(
    'conv2d: got the option "paddingMode"; expected only stride, padding, dilation, groups. Correct its name, or leave it out.',
  );
  expect(() => x.sum(1, strange({ dtype: "float64" }))).toThrow(
    'sum: got the option "dtype"; expected only keepdim. Correct its name, or leave it out.',
  );
  expect(() => x.interpolate(strange({ scaleFactor: 2, antialias: true }))).toThrow(
    'interpolate: got the option "antialias"; expected only size, scaleFactor, mode, alignCorners. Correct its name, or leave it out.',
  );
  expect(() => x.conv2d(x, null, strange([2]))).toThrow("conv2d: got [2] as options; expected an object");
});
