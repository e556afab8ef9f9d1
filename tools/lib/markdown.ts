/** A fenced block of TypeScript in a Markdown file. */
export interface CodeBlock {
  readonly file: string;
  /** Line of its first line of code, counted from 1. */
  readonly line: number;
  readonly code: string;
  /** Marked `ts runnable`: it is executed, not only type-checked. */
  readonly runnable: boolean;
  /** Marked `ts from=file#region`: it is cut from that file, which is compiled as a whole. */
  readonly source?: { readonly file: string; readonly region: string };
}

/**
 * Finds the TypeScript blocks of a Markdown text. A block that is never closed ends with the file.
 * @throws Error naming file and line for a `ts` fence with a word after it that means nothing here
 */
export function codeBlocks(file: string, text: string): readonly CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: (Omit<CodeBlock, 'file' | 'code'> & { fence: string; typescript: boolean; lines: string[] }) | undefined;
  const close = (): void => {
    if (open?.typescript === true) {
      const { line, runnable, source } = open;
      blocks.push({
        file,
        line,
        code: `${open.lines.join('\n')}\n`,
        runnable,
        ...(source === undefined ? {} : { source }),
      });
    }
    open = undefined;
  };
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^\s*(`{3,}|~{3,})\s*(.*?)\s*$/.exec(line);
    if (open !== undefined) {
      if (fence?.[2] === '' && fence[1]?.startsWith(open.fence) === true) close();
      else open.lines.push(line);
      continue;
    }
    if (fence?.[1] === undefined) continue;
    const [language = '', ...words] = (fence[2] ?? '').split(/\s+/);
    const typescript = ['ts', 'typescript', 'mts'].includes(language);
    const source = words.map((word) => /^from=([\w./-]+)#([\w-]+)$/.exec(word)).find((match) => match !== null);
    const unknown = words.filter((word) => word !== 'runnable' && word !== source?.[0]);
    if (typescript && unknown.length > 0) {
      throw new Error(
        `${file}:${index + 1}: "${unknown.join(' ')}" after a ts fence means nothing; only "runnable" and "from=file#region" do.`,
      );
    }
    open = {
      fence: fence[1],
      line: index + 2,
      runnable: words.includes('runnable'),
      typescript,
      lines: [],
      ...(source === undefined ? {} : { source: { file: source[1] as string, region: source[2] as string } }),
    };
  }
  close();
  return blocks;
}

/** The block as a module whose line numbers are those of the Markdown file. */
export function blockModule(block: CodeBlock): string {
  const isModule = /^\s*(import|export)\b/m.test(block.code);
  return `${'\n'.repeat(block.line - 1)}${block.code}${isModule ? '' : 'export {};\n'}`;
}

/** A file name that says where the block is from. */
export function blockFileName(block: CodeBlock): string {
  return `${block.file.replaceAll('/', '__')}.L${block.line}.ts`;
}

/** The lines between `// #region name` and the next `// #endregion`, moved to the left margin; undefined when there is no such region. */
export function regionOf(text: string, region: string): string | undefined {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.trim() === `// #region ${region}`);
  const end = lines.findIndex((line, index) => index > start && line.trim() === '// #endregion');
  if (start < 0 || end < 0) return undefined;
  const cut = lines.slice(start + 1, end);
  const margin = Math.min(...cut.filter((line) => line !== '').map((line) => line.search(/\S/)));
  return `${cut.map((line) => line.slice(margin)).join('\n')}\n`;
}
