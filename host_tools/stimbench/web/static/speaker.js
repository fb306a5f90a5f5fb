// What tells a page's parts of things, and its person in words: the base of both kinds of bench.

export class Speaker extends EventTarget {
  /** Tell whoever listens for `kind`. */
  tell(kind, detail = null) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }

  /** Say something to the person, in words. */
  say(text, isError = false) {
    this.tell("say", { text, isError });
  }

  /** An action at a button: what it answers is said. */
  async attempt(promise) {
    try {
      const result = await promise;
      if (result && result.told) this.say(result.told);
      return result;
    } catch (error) {
      this.say(error.message, true);
      return null;
    }
  }
}
