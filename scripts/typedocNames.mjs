/** Gives an object of options that a function takes apart its name in the reference: TypeDoc would call it __namedParameters. */
import { Converter } from "typedoc";

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_PARAMETER, (_context, parameter) => {
    if (parameter.name === "__namedParameters") parameter.name = "options";
  });
}
