import { type ComponentChildren, createElement, type VNode } from 'preact';

/** An element of the page. Children and attributes are escaped when it is rendered. */
export function h(
  name: string,
  attributes: Readonly<Record<string, unknown>> | null,
  ...children: ComponentChildren[]
): VNode {
  return createElement(name, attributes, ...children) as VNode;
}
