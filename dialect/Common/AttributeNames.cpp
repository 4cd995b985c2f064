//===- AttributeNames.cpp - attributes that an op knows -------------------===//

#include "dialect/Common/AttributeNames.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;
using namespace mlir::gsa;

/// The part after the last dot: "gsa.schedul" is near "schedule", too.
static StringRef withoutPrefix(StringRef name) {
  return name.substr(name.rfind('.') + 1);
}

std::string gsa::suggestNames(StringRef wrong, ArrayRef<StringRef> legal) {
  StringRef nearest;
  unsigned distance = std::max<size_t>(2, withoutPrefix(wrong).size() / 3) + 1;
  for (StringRef name : legal) {
    unsigned found = withoutPrefix(wrong).edit_distance(
        withoutPrefix(name), /*AllowReplacements=*/true, distance);
    if (found >= distance) continue;
    distance = found;
    nearest = name;
  }
  if (!nearest.empty()) return (", did you mean '" + nearest + "'?").str();
  std::string list;
  for (StringRef name : legal)
    list += ((list.empty() ? " '" : ", '") + name + "'").str();
  return ", it takes" + (list.empty() ? std::string(" none") : list);
}

SmallVector<StringRef> gsa::getStatedNames(OperationName name) {
  SmallVector<StringRef> names;
  if (!name.isRegistered()) return names;
  for (StringAttr stated : name.getAttributeNames())
    if (!stated.getValue().ends_with("SegmentSizes"))
      names.push_back(stated.getValue());
  return names;
}

LogicalResult gsa::verifyDiscardable(Operation* op, NamedAttribute attribute,
                                     ArrayRef<AttributeRule> rules) {
  StringRef name = attribute.getName();
  const AttributeRule* rule =
      llvm::find_if(rules, [&](const auto& r) { return r.name == name; });
  if (rule == rules.end()) {
    SmallVector<StringRef> legal;
    // Options of our own ops have no prefix.
    if (op->hasTrait<KnownAttributes>()) legal = getStatedNames(op->getName());
    for (const AttributeRule& r : rules)
      if (r.standsOn(op)) legal.push_back(r.name);
    return op->emitOpError()
           << "has no attribute '" << name << "'" << suggestNames(name, legal);
  }
  if (!rule->standsOn(op))
    return op->emitOpError() << "cannot have the attribute '" << name
                             << "', which is for " << rule->place;
  if (!rule->isKind(attribute.getValue()))
    return op->emitOpError() << "expected " << rule->kind << " as '" << name
                             << "', got " << attribute.getValue();
  return success();
}

SmallVector<StringRef> AttributeRules::getNames(Operation* op) const {
  SmallVector<StringRef> names;
  for (const AttributeRule& rule : rules)
    if (!rule.isOfPasses && rule.standsOn(op)) names.push_back(rule.name);
  return names;
}

bool gsa::isOfPasses(StringRef name, ArrayRef<AttributeRule> rules) {
  return llvm::any_of(rules, [&](const AttributeRule& rule) {
    return rule.isOfPasses && rule.name == name;
  });
}

LogicalResult gsa::verifyNoStrayAttributes(Operation* op) {
  for (NamedAttribute attribute : op->getDiscardableAttrs()) {
    StringRef name = attribute.getName();
    if (name.contains('.')) continue;
    // A symbol keeps its visibility here unless its record says otherwise.
    if (name == SymbolTable::getVisibilityAttrName() &&
        isa<SymbolOpInterface>(op))
      continue;
    SmallVector<StringRef> legal = getStatedNames(op->getName());
    if (const auto* rules =
            op->getDialect()->getRegisteredInterface<AttributeRules>())
      llvm::append_range(legal, rules->getNames(op));
    return op->emitOpError()
           << "has no attribute '" << name << "'" << suggestNames(name, legal);
  }
  return success();
}

LogicalResult gsa::verifyPropertyNames(
    OperationName name, Attribute properties,
    function_ref<InFlightDiagnostic()> emitError) {
  auto dictionary = dyn_cast_or_null<DictionaryAttr>(properties);
  if (!dictionary) return success();  // The op's own reader says what is wrong.
  for (NamedAttribute entry : dictionary) {
    if (llvm::is_contained(name.getAttributeNames(), entry.getName())) continue;
    return emitError() << "'" << name << "' op has no attribute '"
                       << entry.getName().getValue() << "'"
                       << suggestNames(entry.getName(), getStatedNames(name));
  }
  return success();
}
