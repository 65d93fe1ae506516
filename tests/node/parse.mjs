// Reads {"name": ..., "text": ...} from each line of standard input, and answers each with a line that lists what the
// TypeScript compiler's parser has against the text: [] where it is fine.
import { createInterface } from "node:readline";
import ts from "typescript";

const compilerOptions = {
  jsx: ts.JsxEmit.Preserve,
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ESNext,
};

for await (const line of createInterface({ input: process.stdin })) {
  const { name, text } = JSON.parse(line);
  const { diagnostics } = ts.transpileModule(text, { fileName: name, compilerOptions, reportDiagnostics: true });
  const problems = diagnostics.map(({ file, start, messageText }) => {
    const at = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1;
    return `${name}:${at}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
  });
  process.stdout.write(`${JSON.stringify(problems)}\n`);
}
