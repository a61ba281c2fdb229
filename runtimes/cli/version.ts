declare const FAIRLEAD_VERSION: string | undefined;

/** Version of the package; `development` when it runs from its sources. */
export const VERSION: string = typeof FAIRLEAD_VERSION === 'string' ? FAIRLEAD_VERSION : 'development';
