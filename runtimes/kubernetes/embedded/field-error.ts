export * from '../../../engine/object/field-error.ts';
