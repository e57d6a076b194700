// Policies: Grace's decision point, by the Cedar policy language. Loaded when the first decision is needed.
export { cedarPolicy, checkPolicies, type CheckedPolicies } from './cedar-policy.ts';
export { shippedPolicies } from './shipped-policies.ts';
export type { PolicyFile, PolicyMistake, PolicyRule } from './policy-text.ts';
