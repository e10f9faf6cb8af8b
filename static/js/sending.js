// Sends a file in pieces, each once and in order: what has arrived stays when the line breaks, and sending goes on from there.
(() => {
  "use strict";
  const SMALLEST = 64 * 1024;
  const FIRST = 256 * 1024;
  const WAITS = [1000, 2000, 4000, 8000, 15_000, 30_000]; // ms before each next try

  const ask = window.askInPieces;

  class Refused extends Error {}

  // `told` hears of the state: start(size), arrived(bytes), lost(), back(); the promise ends with the id, or is Refused.
  class Sending {
    constructor(file, url, told) {
      this.file = file;
      this.url = url;
      this.told = told;
      this.place = null;
      this.arrived = 0;
      this.piece = FIRST;
      this.failed = 0;
      this.over = false;
      this.wake = null;
      this.request = null;
      this.online = () => this.wake?.();
      window.addEventListener("online", this.online);
    }

    async run() {
      try {
        while (!this.over) {
          try {
            if (!this.place) await this.start();
            else if (this.failed) await this.look();
            this.recovered();
            if (this.arrived >= this.file.size) return this.place.id;
            await this.send();
          } catch (error) {
            if (error instanceof Refused || this.over) throw error;
            await this.pause();
          }
        }
      } finally {
        window.removeEventListener("online", this.online);
      }
      return null;
    }

    async start() {
      const told = new URLSearchParams({ name: this.file.name, size: this.file.size });
      this.place = this.judge(await ask("POST", this.url, told, this.options()));
      if (this.over) this.forget();
    }

    // After a break only the server knows whether the last piece arrived.
    async look() {
      this.arrived = this.judge(await ask("GET", this.place.pieces, null, this.options())).arrived;
    }

    async send() {
      const began = performance.now();
      const piece = this.file.slice(this.arrived, this.arrived + Math.min(this.piece, this.place.most));
      const headers = { "Content-Type": "application/octet-stream" };
      const url = `${this.place.pieces}?offset=${this.arrived}`;
      const { arrived } = this.judge(await ask("POST", url, piece, { ...this.options(), headers }));
      const took = performance.now() - began;
      this.arrived = arrived;
      this.told.arrived(arrived);
      // Each a second or two: the bar moves on a slow line, and a break loses little.
      if (took < 1000) this.piece = Math.min(this.piece * 2, this.place.most);
      else if (took > 4000) this.piece = Math.max(this.piece / 2, SMALLEST);
    }

    judge({ status, answer }) {
      if (status === 0 || status >= 500 || status === 408 || status === 429) throw new Error("lost");
      if (answer && status < 300) return answer;
      // Another place than thought, or a piece that was cut off: look where to go on.
      if (answer && "arrived" in answer && (status === 409 || status === 422)) throw new Error("lost");
      throw new Refused(answer?.message || "");
    }

    options() {
      return { watch: (request) => { this.request = request; } };
    }

    recovered() {
      if (this.failed) this.told.back();
      this.failed = 0;
      this.told.arrived(this.arrived);
    }

    async pause() {
      this.piece = Math.max(this.piece / 2, SMALLEST);
      this.told.lost();
      const wait = WAITS[Math.min(this.failed, WAITS.length - 1)];
      this.failed += 1;
      await new Promise((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, wait);
      });
      this.wake = null;
    }

    cancel() {
      this.over = true;
      this.request?.abort();
      this.wake?.();
      if (this.place) this.forget();
    }

    // If this does not get through, the server forgets the file by itself after a day.
    forget() {
      ask("POST", this.place.cancel, null).catch(() => {});
    }
  }

  window.sendInPieces = (file, url, told) => new Sending(file, url, told);
  window.sendInPieces.Refused = Refused;
})();
