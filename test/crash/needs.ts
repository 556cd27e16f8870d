/** What a fault may need of the machine besides Node. */
export type Need = 'mounts' | 'compiler' | 'faketime' | 'namespaces';
