/* The names of the DOM that Playwright's types mention. Its whole library would let `src` use them too. */

type Node = object;
type HTMLElement = object;
type SVGElement = object;
interface HTMLElementTagNameMap {
  readonly [name: string]: HTMLElement;
}
