// What the portal uses of the vendored modules, for editors and checkers of types. It is not served.

export type Vnode = any;
export type Ref<T> = { current: T };
export function h(type: any, props?: any, ...children: any[]): Vnode;
export function html(strings: TemplateStringsArray, ...values: any[]): Vnode;
export function render(what: Vnode, where: Element): void;
export function createContext<T>(initial: T): any;
export function useState<T>(initial: T | (() => T)): [T, (next: T | ((before: T) => T)) => void];
export function useReducer<S, A>(reducer: (state: S, action: A) => S, initial: S): [S, (action: A) => void];
export function useEffect(effect: () => void | (() => void), inputs?: readonly unknown[]): void;
export function useLayoutEffect(effect: () => void | (() => void), inputs?: readonly unknown[]): void;
export function useRef<T>(initial: T): Ref<T>;
export function useMemo<T>(make: () => T, inputs: readonly unknown[]): T;
export function useCallback<T>(callback: T, inputs: readonly unknown[]): T;
export function useContext<T>(context: any): T;
export function useErrorBoundary(callback?: (error: any) => void): [any, () => void];

declare const uPlot: any;
export default uPlot;
