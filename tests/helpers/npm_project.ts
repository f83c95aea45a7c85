import { Shell } from "./shell.ts";

/** What npm says where its registry is out of reach. */
const OUT_OF_REACH =
  /^npm error code (ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTCACHED|ENETUNREACH)/m;
/** A registry that is busy may be asked again, soon. */
const RETRIES = "--fetch-retries=2 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=3000";

/** A folder with a package.json, in which npm installs and programs of npm run. */
export class NpmProject {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Makes one of ES modules and installs packages, from npm's cache where they are in it.
   *
   * @param folder Its folder.
   * @param packages Names with versions, or paths of tarballs.
   * @returns The project; undefined where npm is out of reach, which it says.
   */
  static async install(folder: string, ...packages: string[]): Promise<NpmProject | undefined> {
    const project = new NpmProject(folder);
    await project.write("package.json", '{"type": "module"}');
    const options = `--no-audit --no-fund --prefer-offline ${RETRIES}`;
    const said = await project.runIfThere(`npm install ${options} ${packages.join(" ")}`);
    return said === undefined ? undefined : project;
  }

  /** Writes a file. */
  async write(name: string, text: string): Promise<void> {
    await Deno.writeTextFile(`${this.folder}/${name}`, text);
  }

  /** Runs a command line to its end; gives what it wrote. */
  async run(line: string): Promise<string> {
    return await Shell.run(line, { folder: this.folder });
  }

  /** Runs one that npm may have to fetch first; says so where that is out of reach. */
  async runIfThere(line: string): Promise<string | undefined> {
    try {
      return await this.run(line);
    } catch (error) {
      if (!(error instanceof Error) || !OUT_OF_REACH.test(error.message)) throw error;
      console.warn(`A part of this test is left out: npm is out of reach for "${line}"`);
      return undefined;
    }
  }
}
